#!/bin/sh
# Builds the tree once more, in another way, and runs its unit, program and fuzz tests there, as far
# as they can tell something that the plain build does not; or, with libFuzzer, lets each fuzz target
# look for new inputs for a few seconds. "portable" is without all forms of the kernels but the one in
# plain C. All of them take the smaller tests of HAWSER_TEST_REDUCED: the whole ones are for the code,
# and run in the plain build; here it is the compiler or the tool that is asked.
# Usage: nested.sh SOURCE_ROOT BUILD_DIR clang|libfuzzer|portable|sanitize|thread|valgrind
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

# For reports lines are enough: with -g1 compilers and linkers have half as much to write.
configure() {
    cmake -S "$root" -B "$build" -DHAWSER_BUILD_BENCH=OFF -DHAWSER_TEST_REDUCED=ON \
        -DCMAKE_C_FLAGS_DEBUG=-g1 "$@"
}

# The tests of this way, by ctest with more options.
tests() {
    ctest --test-dir "$build" --label-regex "^($labels)\$" --tests-regex "^($only)\$" \
        --exclude-regex "^($skip)\$" --no-tests=error "$@"
}

# The targets that these tests need: what is not run is not compiled. The plain build and "clang"
# compile everything.
targets() {
    tests --show-only | sed -n 's/^ *Test *#[0-9]*: *//p' | while read -r name; do
        case $name in
        load | service) echo hawser-bench hawser-cat hawser-echo ;;
        fuzz_*) echo "$name" ;;
        *) echo "test_$name" ;;
        esac
    done
}

labels='unit|fuzz'
only='.*'
# Holding 10,000 connections says nothing more elsewhere.
skip=many
echo "Building for $way in $build."
case $way in
sanitize)
    labels='unit|fuzz|program'
    # What "load" is for, "thread" sees; "service" goes through the same code here. "soak" looks at
    # memory, and AddressSanitizer keeps what was freed.
    skip="$skip|load|soak"
    # Without optimisation, which only hides what is undefined, and takes longer than it saves.
    export CFLAGS=-O0
    export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
    export UBSAN_OPTIONS=print_stacktrace=1
    configure -DCMAKE_BUILD_TYPE=Debug -DHAWSER_SANITIZE=ON
    targets=all
    ;;
thread)
    labels='unit|program'
    # What has more than one thread. Two that let each call of the system fail in turn are left to
    # "sanitize": a thread more or less is none of their business, and they wait for minutes.
    only='prepared|entropy|loop|loop_many|uv_hub|tls_session|service|load'
    only="$only|blocking|blocking_close|blocking_connect|blocking_deflate_prepared|blocking_open"
    only="$only|blocking_trace"
    # OpenSSL counts who uses a session; that is not seen, since it is compiled without this.
    mkdir -p "$build"
    printf 'race:%s\n' SSL_SESSION_free OPENSSL_sk_free >"$build/suppressions"
    export TSAN_OPTIONS="suppressions=$build/suppressions"
    export CFLAGS=-O1
    configure -DCMAKE_BUILD_TYPE=Debug -DHAWSER_SANITIZE=thread
    targets=$(targets)
    ;;
valgrind)
    need valgrind
    # What the sanitizers do not see is bytes that were never written. The corpora reach every line
    # of the core; the rest is one whole life in each adapter, and what gives memory back.
    only='fuzz_.*|blocking|blocking_open|conn|deflate_memory|endpoint_memory|endpoint_ref|loop'
    only="$only|prepared|tls_memory|uv"
    export CFLAGS=-O1
    launcher='valgrind;--quiet;--error-exitcode=99;--leak-check=full'
    # What a thread that has ended keeps for the next one counts as possibly lost.
    launcher="$launcher;--show-leak-kinds=definite;--errors-for-leak-kinds=definite,indirect"
    configure -DCMAKE_BUILD_TYPE=Debug -DHAWSER_BUILD_EXAMPLES=OFF \
        -DHAWSER_TEST_LAUNCHER="$launcher"
    targets=$(targets)
    ;;
libfuzzer)
    need clang
    # What it searches needs neither loops nor TLS. -O0: building takes half as long, and the time
    # that saves is worth as many inputs as optimised code would have tried in these seconds.
    export CFLAGS=-O0
    configure -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang -DHAWSER_SANITIZE=ON \
        -DHAWSER_BUILD_FUZZ=ON -DHAWSER_BUILD_TESTS=OFF -DHAWSER_BUILD_EXAMPLES=OFF \
        -DHAWSER_BUILD_TLS=OFF -DHAWSER_BUILD_UV=OFF
    targets=fuzz_search
    ;;
portable)
    # What calls a kernel, and what is made of it. All else is compiled from the same text as in the
    # plain build, and cannot tell which form it gets.
    only='chacha|conn|conn_.*|constant|endpoint_send|entropy|frame|handshake_.*|kernels.*|key_pool'
    only="$only|mask|message|prepared|rfc_examples|sha1|utf8"
    only="$only|fuzz_(client|kernels|key_pool|roundtrip|server)"
    configure -DCMAKE_BUILD_TYPE=Release -DHAWSER_WERROR=ON -DHAWSER_KERNEL=portable \
        -DHAWSER_BUILD_DEFLATE=OFF -DHAWSER_BUILD_EXAMPLES=OFF -DHAWSER_BUILD_TLS=OFF \
        -DHAWSER_BUILD_UV=OFF
    targets=$(targets)
    ;;
clang)
    need clang
    configure -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang -DHAWSER_WERROR=ON
    targets=all
    ;;
*)
    echo "Unknown way: $way."
    exit 2
    ;;
esac
# The targets are words of their own.
# shellcheck disable=SC2086
cmake --build "$build" --parallel 2 --target $targets

# A target that keeps state from one byte to the next has more to be found than a parser of one text.
search() {
    name=$1
    case $name in
    client | compress | cuts | endpoint | inflate | roundtrip | server) seconds=2 ;;
    *) seconds=1 ;;
    esac
    mkdir -p "$build/found/$name"
    # From the same seed each time: this is a test. A search has another seed, and hours.
    # libFuzzer's own status for a crash is 77, which here means that a tool is missing.
    "$build/fuzz/fuzz_${name}_search" -seed=1 -error_exitcode=1 -timeout_exitcode=1 \
        -max_total_time=$seconds -max_len=4096 -timeout=10 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$build/found/" "$build/found/$name" "$root/fuzz/corpus/$name" \
        >"$build/found/$name.log" 2>&1 || {
        cat "$build/found/$name.log"
        echo "fuzz_$name has found an input that breaks it."
        return 1
    }
}

if [ "$way" = libfuzzer ]; then
    mkdir -p "$build/found"
    first=
    for path in "$build"/fuzz/fuzz_*_search; do
        name=${path##*/fuzz_}
        name=${name%_search}
        echo "Looking for inputs that break fuzz_$name."
        # Two at a time.
        search "$name" &
        [ -z "$first" ] || wait "$first"
        first=$!
    done
    wait "$first"
    exit 0
fi

echo "Running the tests under $way."
tests --output-on-failure --parallel 4
