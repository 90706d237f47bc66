#include "lib/model/result.h"

struct outcome_row {
    const char *name, *key;
};

static const struct outcome_row rows[IM_OUTCOME_COUNT] = {
    [IM_CHANGED] = {"changed", "changed"},           [IM_UNCHANGED] = {"unchanged", "unchanged"},
    [IM_REFUSED] = {"refused", "refused"},           [IM_FAILED] = {"failed", "failed"},
    [IM_OUT_NOT_FOUND] = {"not-found", "not_found"}, [IM_AMBIGUOUS] = {"ambiguous", "ambiguous"},
    [IM_CONFLICT] = {"conflict", "conflict"},        [IM_NOT_ATTEMPTED] = {"not-attempted", "not_attempted"},
};

const char *im_outcome_name(enum im_outcome outcome) {
    return rows[outcome].name;
}

const char *im_outcome_key(enum im_outcome outcome) {
    return rows[outcome].key;
}
