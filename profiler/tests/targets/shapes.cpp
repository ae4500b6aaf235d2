// A C++ program whose page faults come from known lines: through a template, an
// inlined function, a virtual one, and one that is left by an exception.
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace shapes {

constexpr std::size_t page = 4096, pages = 300;
volatile char sink;

template <typename Unit, std::size_t Step>
__attribute__((noinline)) void touch_template(Unit *memory, std::size_t bytes)
{
    for (std::size_t at = 0; at < bytes; at += Step)
        const_cast<volatile Unit *>(memory)[at] = 1; /* @template */
}

__attribute__((always_inline)) inline void touch_inlined(char *memory)
{
    for (std::size_t at = 0; at < pages * page; at += page)
        const_cast<volatile char *>(memory)[at] = 1; /* @inlined */
}

struct Shape {
    virtual ~Shape() = default;
    virtual void draw(char *memory) const = 0;
};

struct Circle : Shape {
    __attribute__((noinline)) void draw(char *memory) const override
    {
        touch_inlined(memory);
    }
};

// Touches every page and then leaves by an exception.
__attribute__((noinline)) void touch_and_throw(char *memory)
{
    for (std::size_t at = 0; at < pages * page; at += page)
        const_cast<volatile char *>(memory)[at] = 1; /* @throwing */
    throw std::runtime_error("as intended");
}

__attribute__((noinline)) char *make_by_new()
{
    return new char[pages * page]; /* @new */
}

__attribute__((noinline)) std::vector<char> make_vector()
{
    return std::vector<char>(pages * page, 1); /* @vector */
}

} // namespace shapes

int main()
{
    using namespace shapes;
    // On the heap itself, freed memory would be used again: big blocks are not.
    touch_template<char, page>(make_by_new(), pages * page);
    const Shape &shape = Circle();
    shape.draw(make_by_new());
    try {
        touch_and_throw(make_by_new());
        return 1;
    } catch (const std::runtime_error &) {
    }
    std::vector<char> vector = make_vector();
    sink = vector[page];
    return 0;
}
