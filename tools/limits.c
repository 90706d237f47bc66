#include "tools/limits.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct im_limit_options im_limit_options;

enum { MAX_CONNECTIONS = 16, DEFAULT_FAILURES = 50, DEFAULT_FAILURES_PERCENT = 5 };

static enum im_err parse_count(const char *option, const char *text, size_t max, size_t *out, struct im_error *e) {
    char *end = NULL;
    if (text == NULL) {
        return IM_OK;
    }
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < 1 || value > max) {
        return im_error_set(e, IM_E_USAGE, "--%s takes a number from 1 to %zu, not \"%s\"", option, max, text);
    }
    *out = value;
    return IM_OK;
}

static enum im_err parse_rate(const char *text, double *out, struct im_error *e) {
    char *end = NULL;
    if (text == NULL) {
        return IM_OK;
    }
    double value = strtod(text, &end);
    if (*text < '0' || *text > '9' || *end != '\0' || !isfinite(value) || value < 0.01 || value > 1e6) {
        return im_error_set(e, IM_E_USAGE, "--rate takes changes a second, 0.01 to 1000000, not \"%s\"", text);
    }
    *out = value;
    return IM_OK;
}

static enum im_err parse_failures(struct im_pace *pace, struct im_error *e) {
    struct im_amount amount;
    if (im_limit_options.max_failures == NULL) {
        pace->max_failures = DEFAULT_FAILURES;
        pace->max_failures_percent = DEFAULT_FAILURES_PERCENT;
        return IM_OK;
    }
    enum im_err err = im_amount_parse("max-failures", im_limit_options.max_failures, &amount, e);
    if (err == IM_OK && (amount.is_percent ? amount.percent <= 0 : amount.count == 0)) {
        err = im_error_set(e, IM_E_USAGE,
                           "--max-failures takes at least 1, or more than 0%%: the run stops when so many accounts failed");
    }
    if (err == IM_OK) {
        pace->max_failures = amount.is_percent ? 0 : amount.count;
        pace->max_failures_percent = amount.is_percent ? amount.percent : 0;
    }
    return err;
}

enum im_err im_limits_parse(struct im_limits *out, struct im_error *e) {
    const struct im_limit_options *o = &im_limit_options;
    *out = (struct im_limits){.limits_changes = o->max_changes != NULL};
    enum im_err err = parse_count("window", o->window, IM_WINDOW_MAX, &out->pace.window, e);
    if (err == IM_OK) {
        err = parse_count("connections", o->connections, MAX_CONNECTIONS, &out->pace.connections, e);
    }
    if (err == IM_OK) {
        err = parse_rate(o->rate, &out->pace.rate, e);
    }
    if (err == IM_OK) {
        err = parse_failures(&out->pace, e);
    }
    if (err == IM_OK && o->max_changes != NULL) {
        err = im_amount_parse("max-changes", o->max_changes, &out->max_changes, e);
    }
    return err;
}
