#!/bin/sh
# Installs hawser, moves what was installed, and builds a program of somebody else on it: by
# find_package, by pkg-config, and with hawser as a folder of his project; in C and in C++11. With
# zlib hawser::deflate has to be among it, with OpenSSL hawser::tls, with libuv hawser::uv; the
# static kind is tried without them as well.
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

# pkg-config shall find what is installed here and these three, as far as they are there.
known=$scratch/known
mkdir "$known"

# offered COMPONENT LIBRARY MODULE...: ON when pkg-config knows the modules.
offered() {
    component=$1 library=$2
    shift 2
    for module in "$@"; do
        folder=$(pkg-config --variable=pcfiledir "$module" 2>/dev/null) || {
            echo "Without $library: hawser::$component is not there." >&2
            echo OFF
            return
        }
        cp "$folder/$module.pc" "$known"
    done
    echo ON
}

deflate=$(offered deflate zlib zlib)
tls=$(offered tls OpenSSL libssl libcrypto)
uv=$(offered uv libuv libuv)
want="-DWANT_DEFLATE=$deflate -DWANT_TLS=$tls -DWANT_UV=$uv"

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
    case $deflate,$tls,$uv,${header##*/} in
    OFF,*,deflate_zlib.h | *,OFF,*,tls.h | *,OFF,uv.h) continue ;;
    esac
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
# The wishes are words of their own.
# shellcheck disable=SC2086
quietly "find_package: the program does not configure" cmake -S "$root/tests/consumer" \
    -B "$scratch/package" -DCMAKE_PREFIX_PATH="$prefix" $want
quietly "find_package: the program does not build" cmake --build "$scratch/package"
"$scratch/package/consumer-c" || fail "find_package: the C program"
"$scratch/package/consumer-cxx" || fail "find_package: the C++ program"

echo "Using it by pkg-config."
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name hawser.pc)")
PKG_CONFIG_LIBDIR=$PKG_CONFIG_PATH:$known
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH PKG_CONFIG_LIBDIR LD_LIBRARY_PATH
static=
[ $shared = OFF ] && static=--static
modules='hawser-blocking hawser-loop'
defines=-DWITH_LOOP
[ $deflate = ON ] && modules="$modules hawser-deflate" && defines="$defines -DWITH_DEFLATE"
[ $tls = ON ] && modules="$modules hawser-tls" && defines="$defines -DWITH_TLS"
[ $uv = ON ] && modules="$modules hawser-uv" && defines="$defines -DWITH_UV"
# The modules are words of their own.
# shellcheck disable=SC2086
flags=$(pkg-config $static --cflags --libs $modules) || fail "pkg-config: no flags"
flags="$defines $flags"
core_flags=$(pkg-config $static --cflags --libs hawser) || fail "pkg-config: no flags of the core"
case $core_flags in
*-lhawser-* | *-lz* | *-lssl* | *-lcrypto* | *-luv*) fail "pkg-config: the core wants an adapter" ;;
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
# shellcheck disable=SC2086
quietly "folder: the program does not configure" cmake -S "$root/tests/consumer" \
    -B "$scratch/folder" -DHAWSER_SOURCE="$root" -DBUILD_SHARED_LIBS=$shared -DHAWSER_INSTALL=ON \
    $want
quietly "folder: the program does not build" cmake --build "$scratch/folder"
"$scratch/folder/consumer-c" || fail "folder: the program"

if [ $shared = OFF ]; then
    echo "Installing and using it without hawser::deflate, hawser::tls and hawser::uv."
    quietly "without: hawser does not configure" cmake -S "$root" -B "$scratch/without" \
        -DHAWSER_BUILD_DEFLATE=OFF -DHAWSER_BUILD_TLS=OFF -DHAWSER_BUILD_UV=OFF \
        -DHAWSER_BUILD_TESTS=OFF -DCMAKE_INSTALL_PREFIX="$scratch/core"
    quietly "without: hawser does not build" cmake --build "$scratch/without"
    quietly "without: hawser does not install" cmake --install "$scratch/without"
    if find "$scratch/core" -name '*deflate*' ! -path '*/include/hawser/deflate.h' -o \
        -name '*tls*' -o -name '*uv*' | grep .; then
        fail "these files are installed without what they belong to"
    fi
    quietly "without: the program does not configure" cmake -S "$root/tests/consumer" \
        -B "$scratch/use" -DCMAKE_PREFIX_PATH="$scratch/core" -DWANT_DEFLATE=OFF -DWANT_TLS=OFF \
        -DWANT_UV=OFF
    quietly "without: the program does not build" cmake --build "$scratch/use"
    "$scratch/use/consumer-c" || fail "without: the program"
    for program in hawser-cat hawser-echo; do
        status=0
        "$scratch/core/bin/$program" --deflate 2>"$scratch/log" || status=$?
        [ $status = 2 ] && [ "$(cat "$scratch/log")" = \
            "$program: --deflate needs zlib, and this build has none." ] ||
            fail "without deflate: $program --deflate: $status $(cat "$scratch/log")"
    done
fi
echo "Well ($kind)."
