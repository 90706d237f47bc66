/* The YAML reader: every node of an accepted document has a place, a refusal has a sentence and a line. */
#include "lib/data/yaml.h"
#include "tests/fuzz/fuzz.h"

#include <limits.h>

static void visit(const struct im_yaml *doc, const struct im_yaml_node *node) {
    bool truth = false;
    long number = 0;
    const char *text = NULL;
    MUST(node->line > 0 && node->column > 0);
    if (node->kind == IM_YAML_SCALAR) {
        MUST(node->text != NULL);
    }
    (void)im_yaml_bool(doc, node, &truth, NULL);
    (void)im_yaml_int(doc, node, LONG_MIN, LONG_MAX, &number, NULL);
    (void)im_yaml_text(doc, node, &text, NULL);
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == IM_YAML_MAP) {
            MUST(im_yaml_get(node, node->keys[i]->text) == node->items[i]);
        }
        visit(doc, node->items[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct im_yaml *doc = NULL;
    struct im_error e = {0};
    if (im_yaml_load_text("input", (const char *)data, size, &doc, &e) == IM_OK) {
        const struct im_yaml_node *root = im_yaml_root(doc);
        if (root) {
            visit(doc, root);
        }
    } else {
        MUST(e.text[0] != '\0');
    }
    im_yaml_free(&doc);
    return 0;
}
