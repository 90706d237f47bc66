#include "lib/report/write.h"

#include "lib/data/times.h"

json_t *im_report_head(const struct im_run_info *info) {
    char started[IM_TIME_TEXT_SIZE];
    json_t *o = json_object();
    im_time_to_rfc3339(info->started, started);
    im_json_put(o, "command", im_json_string(info->command));
    im_json_put(o, "version", im_json_string(info->version));
    im_json_put(o, "profile", im_json_string(info->profile));
    im_json_put(o, "directory", im_json_string(info->directory));
    if (info->dry_run)
        im_json_put(o, "dry_run", json_true());
    im_json_put(o, "started", im_json_string(started));
    return o;
}
