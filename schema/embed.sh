#!/bin/sh
# Prints C source that holds the given files: row after row of the table that lib/model/profile.c reads.
set -eu
echo '#include "lib/model/builtin.h"'
n=0
for file; do
    echo "static const unsigned char file_${n}[] = {"
    od -An -v -tx1 "$file" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
    echo "};"
    n=$((n + 1))
done
echo "const struct im_builtin im_builtins[] = {"
n=0
for file; do
    echo "    {\"${file#schema/}\", file_$n, sizeof file_$n},"
    n=$((n + 1))
done
echo "};"
echo "const size_t im_builtin_count = sizeof im_builtins / sizeof im_builtins[0];"
