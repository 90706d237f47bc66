#!/bin/sh
# Prints C source that holds the style and the script of the HTML report, and the hashes by which its policy knows them.
set -eu
bytes_of_hex() {
    # printf knows octal everywhere
    sed 's/../&\n/g' | while read -r pair; do
        [ -z "$pair" ] || printf '%b' "\\0$(printf %o "0x$pair")"
    done
}
echo '#include "lib/report/page.h"'
for file; do
    name=$(basename "$file" | tr . _)
    hash=$(sha256sum <"$file" | cut -c1-64 | bytes_of_hex | base64)
    echo "static const unsigned char ${name}_bytes[] = {"
    od -An -v -tx1 "$file" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
    echo "};"
    echo "const struct im_page_part im_$name = {${name}_bytes, sizeof ${name}_bytes, \"sha256-$hash\"};"
done
