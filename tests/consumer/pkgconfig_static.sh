# pkg-config --static, nothing shared at all.
"$CC" -static $(pkg-config --static --cflags loss) "$SOURCE/program.c" $(pkg-config --static --libs loss) -o program
./program
