/* A library for the program `code` to open. */
__attribute__((visibility("default"))) void library_touch(volatile char *memory, long bytes)
{
    for (long i = 0; i < bytes; i += 4096)
        memory[i] = 1; /* @library */
}
