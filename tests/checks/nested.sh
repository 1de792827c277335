#!/bin/sh
# Builds the tree once more, in another way, and runs its unit, program and fuzz tests there; or,
# with libFuzzer, lets each fuzz target look for new inputs for a few seconds. "portable" is without
# all forms of the kernels but the one in plain C.
# Usage: nested.sh SOURCE_ROOT BUILD_DIR clang|libfuzzer|portable|sanitize|valgrind
set -eu

root=$1
build=$2
way=$3

need() {
    command -v "$1" >/dev/null || {
        echo "NOT RUN: this test needs $1."
        exit 77
    }
}

configure() {
    cmake -S "$root" -B "$build" -DHAWSER_BUILD_BENCH=OFF "$@"
}

labels='unit|fuzz|program'
# These two build in ways of their own; holding 10,000 connections says nothing more elsewhere.
skip='fuzz_coverage|fuzz_faults|many'
target=all
echo "Building for $way in $build."
case $way in
sanitize)
    export CFLAGS=-O1
    export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
    export UBSAN_OPTIONS=print_stacktrace=1
    configure -DCMAKE_BUILD_TYPE=Debug -DHAWSER_SANITIZE=ON
    ;;
valgrind)
    need valgrind
    # What goes by deadlines on real sockets, or takes minutes here. The sanitizers see it as well.
    skip="$skip|blocking_f.*|endpoint_ready|endpoint_split|loop_.*|tls|tls_trust|uv_.*"
    export CFLAGS=-O1
    launcher='valgrind;--quiet;--error-exitcode=99;--leak-check=full'
    # What a thread that has ended keeps for the next one counts as possibly lost.
    launcher="$launcher;--show-leak-kinds=definite;--errors-for-leak-kinds=definite,indirect"
    configure -DCMAKE_BUILD_TYPE=Debug -DHAWSER_BUILD_EXAMPLES=OFF -DHAWSER_TEST_REDUCED=ON \
        -DHAWSER_TEST_LAUNCHER="$launcher"
    ;;
libfuzzer)
    need clang
    target=fuzz_search
    export CFLAGS=-O1
    configure -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang -DHAWSER_SANITIZE=ON \
        -DHAWSER_BUILD_FUZZ=ON -DHAWSER_BUILD_TESTS=OFF -DHAWSER_BUILD_EXAMPLES=OFF
    ;;
portable)
    labels='unit|fuzz'
    configure -DCMAKE_BUILD_TYPE=Release -DHAWSER_WERROR=ON -DHAWSER_KERNEL=portable \
        -DHAWSER_BUILD_EXAMPLES=OFF -DHAWSER_TEST_REDUCED=ON
    ;;
clang)
    need clang
    labels='unit|fuzz'
    configure -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang -DHAWSER_WERROR=ON
    ;;
*)
    echo "Unknown way: $way."
    exit 2
    ;;
esac
cmake --build "$build" --parallel 2 --target $target

if [ "$way" = libfuzzer ]; then
    for search in "$build"/fuzz/fuzz_*_search; do
        name=${search##*/fuzz_}
        name=${name%_search}
        echo "Looking for inputs that break fuzz_$name."
        mkdir -p "$build/found/$name"
        # From the same seed each time: this is a test. A search has another seed, and hours.
        # libFuzzer's own status for a crash is 77, which here means that a tool is missing.
        "$search" -seed=1 -error_exitcode=1 -timeout_exitcode=1 -max_total_time=3 -max_len=4096 -timeout=10 \
            -print_final_stats=1 -verbosity=0 \
            -artifact_prefix="$build/found/" "$build/found/$name" "$root/fuzz/corpus/$name"
    done
    exit 0
fi

echo "Running the tests under $way."
cd "$build"
ctest --output-on-failure --parallel 2 --no-tests=error --label-regex "^($labels)\$" \
    --exclude-regex "^($skip)\$"
