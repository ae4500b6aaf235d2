//! A Rust program that touches a vector, from known lines.

const PAGES: usize = 300;

#[inline(never)]
fn touch_vector(memory: &mut [u8]) {
    for page in memory.chunks_mut(4096) {
        page[0] = std::hint::black_box(1); // @touch
    }
}

#[inline(never)]
fn make_vector() -> Vec<u8> {
    vec![0; PAGES * 4096] // @vector
}

fn main() {
    let mut memory = make_vector();
    touch_vector(&mut memory);
    std::hint::black_box(&memory);
}
