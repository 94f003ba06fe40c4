# pkg-config, shared.
"$CC" $(pkg-config --cflags loss) "$SOURCE/program.c" $(pkg-config --libs loss) -o program
LD_LIBRARY_PATH="$(pkg-config --variable=libdir loss)" ./program
