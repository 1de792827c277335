#!/bin/sh
# Installs hawser, moves what was installed, and builds a program of somebody else on it: by
# find_package, by pkg-config, and with hawser as a folder of his project; in C and in C++11. With
# zlib hawser::deflate has to be among it; the static kind is tried without it as well.
# Usage: install.sh SOURCE_ROOT static|shared
set -eu

root=$(cd "$1" && pwd)
kind=$2
cc=${CC:-cc}
cxx=${CXX:-c++}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
prefix=$scratch/moved

fail() {
    echo "FAILED ($kind): $*"
    exit 1
}

# quietly WHAT COMMAND...: shows the output of a command only when it fails.
quietly() {
    what=$1
    shift
    "$@" >"$scratch/log" 2>&1 || {
        cat "$scratch/log"
        fail "$what"
    }
}

for tool in cmake pkg-config nm "$cc" "$cxx"; do
    command -v "$tool" >/dev/null || {
        echo "NOT RUN: this check needs $tool."
        exit 77
    }
done

# pkg-config shall find what is installed here and zlib, nothing else.
zlib=$(pkg-config --variable=pcfiledir zlib 2>/dev/null) && deflate=ON || deflate=OFF
[ $deflate = ON ] || echo "Without zlib: hawser::deflate is not there."

shared=OFF
[ "$kind" = shared ] && shared=ON

echo "Installing ($kind)."
quietly "hawser does not configure" cmake -S "$root" -B "$scratch/build" \
    -DBUILD_SHARED_LIBS=$shared -DHAWSER_BUILD_TESTS=OFF -DCMAKE_INSTALL_PREFIX="$scratch/first"
quietly "hawser does not build" cmake --build "$scratch/build"
quietly "hawser does not install" cmake --install "$scratch/build"
mv "$scratch/first" "$prefix"

for file in bin/hawser-bench bin/hawser-cat bin/hawser-echo include/hawser/hawser.h \
    share/doc/hawser/LICENSE; do
    [ -e "$prefix/$file" ] || fail "$file is not installed"
done
for header in "$root"/include/hawser/*.h; do
    [ $deflate = OFF ] && [ "${header##*/}" = deflate_zlib.h ] && continue
    [ -e "$prefix/include/hawser/${header##*/}" ] || fail "${header##*/} is not installed"
done
if grep -rIl -e "$scratch" -e "$root" "$prefix"; then
    fail "these installed files name the place where they were built"
fi
for program in hawser-bench hawser-cat hawser-echo; do
    quietly "$program does not run" "$prefix/bin/$program" --help
done

if [ $shared = ON ]; then
    for library in $(find "$prefix" -name 'libhawser*.so'); do
        nm -D --defined-only "$library" | awk '{ print $NF }' >"$scratch/exported"
        [ -s "$scratch/exported" ] || fail "$library exports nothing"
        if grep -v '^hws_[a-z0-9]' "$scratch/exported"; then
            fail "${library##*/} exports these names, which are not public"
        fi
    done
fi

echo "Using it by find_package."
quietly "find_package: the program does not configure" cmake -S "$root/tests/consumer" \
    -B "$scratch/package" -DCMAKE_PREFIX_PATH="$prefix" -DWANT_DEFLATE=$deflate
quietly "find_package: the program does not build" cmake --build "$scratch/package"
"$scratch/package/consumer-c" || fail "find_package: the C program"
"$scratch/package/consumer-cxx" || fail "find_package: the C++ program"

echo "Using it by pkg-config."
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name hawser.pc)")
PKG_CONFIG_LIBDIR=$PKG_CONFIG_PATH:$zlib
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH PKG_CONFIG_LIBDIR LD_LIBRARY_PATH
static=
[ $shared = OFF ] && static=--static
modules=hawser-blocking
[ $deflate = ON ] && modules="$modules hawser-deflate"
# The modules are words of their own.
# shellcheck disable=SC2086
flags=$(pkg-config $static --cflags --libs $modules) || fail "pkg-config: no flags"
[ $deflate = ON ] && flags="-DWITH_DEFLATE $flags"
core_flags=$(pkg-config $static --cflags --libs hawser) || fail "pkg-config: no flags of the core"
case $core_flags in
*blocking* | *deflate* | *-lz*) fail "pkg-config: the core wants an adapter" ;;
esac
# The flags are words of their own.
# shellcheck disable=SC2086
quietly "pkg-config: the C program does not build" \
    "$cc" -std=c99 -pedantic -Werror "$root/tests/consumer/consumer.c" -o "$scratch/c" $flags
# shellcheck disable=SC2086
quietly "pkg-config: the C++ program does not build" \
    "$cxx" -std=c++11 -pedantic -Werror "$root/tests/consumer/consumer.cpp" -o "$scratch/cxx" $flags
"$scratch/c" || fail "pkg-config: the C program"
"$scratch/cxx" || fail "pkg-config: the C++ program"
unset LD_LIBRARY_PATH

echo "Using it as a folder."
quietly "folder: the program does not configure" cmake -S "$root/tests/consumer" \
    -B "$scratch/folder" -DHAWSER_SOURCE="$root" -DBUILD_SHARED_LIBS=$shared -DHAWSER_INSTALL=ON \
    -DWANT_DEFLATE=$deflate
quietly "folder: the program does not build" cmake --build "$scratch/folder"
"$scratch/folder/consumer-c" || fail "folder: the program"

if [ $shared = OFF ]; then
    echo "Installing and using it without hawser::deflate."
    quietly "without deflate: hawser does not configure" cmake -S "$root" -B "$scratch/without" \
        -DHAWSER_BUILD_DEFLATE=OFF -DHAWSER_BUILD_TESTS=OFF -DCMAKE_INSTALL_PREFIX="$scratch/core"
    quietly "without deflate: hawser does not build" cmake --build "$scratch/without"
    quietly "without deflate: hawser does not install" cmake --install "$scratch/without"
    if find "$scratch/core" -name '*deflate*' ! -path '*/include/hawser/deflate.h' | grep .; then
        fail "these files are installed without hawser::deflate"
    fi
    quietly "without deflate: the program does not configure" cmake -S "$root/tests/consumer" \
        -B "$scratch/use" -DCMAKE_PREFIX_PATH="$scratch/core" -DWANT_DEFLATE=OFF
    quietly "without deflate: the program does not build" cmake --build "$scratch/use"
    "$scratch/use/consumer-c" || fail "without deflate: the program"
    for program in hawser-cat hawser-echo; do
        status=0
        "$scratch/core/bin/$program" --deflate 2>"$scratch/log" || status=$?
        [ $status = 2 ] && [ "$(cat "$scratch/log")" = \
            "$program: --deflate needs zlib, and this build has none." ] ||
            fail "without deflate: $program --deflate: $status $(cat "$scratch/log")"
    done
fi
echo "Well ($kind)."
