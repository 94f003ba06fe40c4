# The installed tree works from any place: neither pkg-config nor CMake remembers where it was.
rm -rf here && mkdir here && cp -R "$STAGE" here/moved
grep -r "$STAGE" here/moved/*/pkgconfig here/moved/*/cmake && exit 1
PKG_CONFIG_PATH=$(dirname "$(find "$PWD/here" -name loss.pc)")
export PKG_CONFIG_PATH
sh -eu "$SOURCE/pkgconfig.sh"
cmake -S "$SOURCE/find_package_static" -B here/build -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$PWD/here/moved"
cmake --build here/build
here/build/program
