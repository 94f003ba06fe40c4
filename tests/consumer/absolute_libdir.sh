# Some distributions keep libraries outside the prefix and say so with an absolute path.
cmake -S "$ROOT" -B build -DCMAKE_C_COMPILER="$CC" -DBUILD_TESTING=OFF -DLOSS_BUILD_IO=OFF -DLOSS_BUILD_TOOL=OFF \
    -DCMAKE_INSTALL_PREFIX=/opt/loss -DCMAKE_INSTALL_LIBDIR="$PWD/elsewhere/lib" >/dev/null
grep -x "libdir=$PWD/elsewhere/lib" build/loss.pc
grep -x "prefix=/opt/loss" build/loss.pc
