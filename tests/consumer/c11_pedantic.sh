# The strictest C11 there is accepts the headers.
"$CC" -std=c11 -pedantic-errors -Wall -Wextra -Wconversion -Wstrict-prototypes -Werror \
    $(pkg-config --cflags loss) "$SOURCE/program.c" $(pkg-config --libs loss) -o program
LD_LIBRARY_PATH="$(pkg-config --variable=libdir loss)" ./program
