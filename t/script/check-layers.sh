#!/bin/bash
# The tree keeps to its layers, and script/check-layers says so of no tree that does not.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
check=$top/script/check-layers
tree=$(mktemp -d)
trap 'rm -r "$tree"' EXIT

"$check" . "$top"

# write LAYER NAME: the rest is the text of a source file
write() {
    mkdir -p "$tree/$1/asynwsgi"
    cat >"$tree/$1/$2"
}

# archive LAYER: makes its archive of NAME.c
archive() {
    ${CC:-cc} -w -I"$tree/dispatch" -I"$tree/http" -c -o "$tree/$1.o" "$tree/$1/$1.c"
    rm -f "$tree/libasynwsgi-$1.a"
    ar cr "$tree/libasynwsgi-$1.a" "$tree/$1.o"
}

# refused WORD: the tree is refused with a complaint that has WORD in it
refused() {
    ! "$check" "$tree" "$tree" >"$tree/out" || { echo "not refused: $1"; exit 1; }
    grep -F -- "$1" "$tree/out"
}

# A tree that is right.
right() {
    rm -rf "${tree:?}"/*
    write dispatch asynwsgi/dispatch.h <<<'int dispatch_run(void);'
    write dispatch heap.h <<<'int heap(void);'
    write dispatch dispatch.c <<<'#include <asynwsgi/dispatch.h>
        #include "heap.h"
        int dispatch_run(void) { return 0; }'
    write http asynwsgi/http.h <<<'int http_serve(void);'
    write http http.c <<<'#include <asynwsgi/http.h>
        #include <asynwsgi/dispatch.h>
        #include <stdio.h>
        int http_serve(void) { return dispatch_run(); }'
    archive dispatch
    archive http
}
right
"$check" "$tree" "$tree"

write dispatch up.c <<<'# include <asynwsgi/http.h>'
refused 'dispatch/up.c:1: dispatch may not include <asynwsgi/http.h> of http'

right
write http machine.rl <<<'#include "heap.h"'
refused '"heap.h" is not a private header of http'

right
write http private.c <<<'#include <heap.h>'
refused '<heap.h> is a private header of dispatch'

right
write http python.c <<<'#include <Python.h>'
refused 'http may not include <Python.h>'

right
write dispatch dispatch.c <<<'int http_serve(void); int dispatch_run(void) { return http_serve(); }'
archive dispatch
refused 'dispatch may not use http_serve of http'

right
write http http.c <<<'int Py_IsInitialized(void); int http_serve(void) { return Py_IsInitialized(); }'
archive http
refused 'http may not use Py_IsInitialized of python'

right
rm "$tree/libasynwsgi-http.a"
refused 'is missing'
