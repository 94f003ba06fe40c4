#!/bin/sh
# Installs the Debian packages a job needs, and nothing when they are there already.
#
#   sh cmake/install_packages.sh demo|test|long|fuzz|blas|lint|aarch64|bench|python|peers …
set -eu

build="gcc libc6-dev cmake ninja-build pkg-config libjansson-dev"
packages=""
for job in "$@"; do
    case $job in
    demo) packages="$packages $build gnuplot-nox" ;;
    test) packages="$packages $build gnuplot-nox g++ python3 libcmocka-dev libmpfr-dev locales zlib1g-dev
dataset-fashion-mnist wordnet-base" ;;
    lint) packages="$packages gcc g++ libc6-dev python3 git clang-format-14" ;;
    fuzz) packages="$packages $build clang libclang-rt-14-dev python3 libcmocka-dev" ;;
    blas) packages="$packages libopenblas-dev" ;;
    long) packages="$packages python3-mpmath python3-gmpy2" ;;
    aarch64) packages="$packages cmake ninja-build python3 gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" ;;
    bench) packages="$packages $build python3 libsleef3" ;;
    python) packages="$packages python3-numpy python3-torch python3-sklearn" ;;
    peers) packages="$packages $build g++ gnuplot-nox python3-scipy liblbfgs-dev libnlopt-dev libgsl-dev libceres-dev
libdlib-dev libopenblas-dev" ;;
    *) echo "install_packages.sh: no job \"$job\"; there are demo, test, long, fuzz, blas, lint, aarch64, bench, python and peers" >&2 && exit 2 ;;
    esac
done

missing=""
for package in $packages; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
    *" installed") ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo"

install() {
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --yes --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 \
        $missing >/dev/null
}

echo "Installing:$missing"
# The package lists may be absent or too old to fetch from; only then are they renewed.
install 2>/dev/null || { $as_root apt-get update -qq && install; }
