# As a plugin: loaded, used with threads and unloaded 100 times, leaving nothing behind.
"$CC" $(pkg-config --cflags loss) "$SOURCE/dlopen.c" -ldl -o program
./program "$(pkg-config --variable=libdir loss)/libloss.so"
