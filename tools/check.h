/* What imcheck does once its options are read. */
#ifndef IMDIR_TOOLS_CHECK_H
#define IMDIR_TOOLS_CHECK_H

#include "tools/command.h"

struct im_check_options {
    struct im_strings scopes, rules, skip, dns_servers;
    const char *fail_on, *explain, *report, *baseline, *input, *scan_connections;
    bool list_rules, external, probe, replicas;
};
extern struct im_check_options im_check_options;

/* Returns the exit status. */
int im_check_main(struct im_command *c);
enum { IM_CHECK_UNKNOWN = 3 }; /* of the plug-in interface of monitoring systems, which knows none above */

/* The words ask for nagios. For when they could not be parsed, and nothing is kept of them. */
bool im_check_is_plugin(char *const *argv);
/* What a monitoring system is told where there is no result: "unknown", one line. Others keep the status. */
int im_check_failed(int status, bool is_plugin, const char *why);
/* Tells the command's error; returns the status that it means in the way of the format. */
int im_check_fail(struct im_command *c);

/* What needs no directory: --list-rules and --explain; --input. They return the exit status. */
int im_check_show_rules(struct im_command *c);
int im_check_show_again(struct im_command *c);

#endif
