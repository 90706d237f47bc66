/*
 * Runs a command and tells what it took: stopwatch FILE COMMAND [ARGUMENT...]
 *
 * One line of JSON goes to FILE. A small program of its own, because the peak memory of a process counts what it was before exec:
 * started from an interpreter, every command would need as much as that.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(const struct timeval *t) {
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int complain(const char *what) {
    fprintf(stderr, "stopwatch: %s: %s\n", what, strerror(errno));
    return 127;
}

int main(int argc, char **argv) {
    struct rusage usage;
    int status;
    if (argc < 3) {
        fprintf(stderr, "usage: stopwatch FILE COMMAND...\n");
        return 2;
    }
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(complain(argv[2]));
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return complain(argv[2]);
    double taken = now() - start;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    FILE *file = fopen(argv[1], "w");
    if (!file)
        return complain(argv[1]);
    fprintf(file,
            "{\"status\": %d, \"seconds\": %.6f, \"user_s\": %.6f, \"system_s\": %.6f, \"peak_kib\": %ld, \"waits\": %ld}\n",
            code, taken, seconds(&usage.ru_utime), seconds(&usage.ru_stime), usage.ru_maxrss, usage.ru_nvcsw);
    return fclose(file) ? complain(argv[1]) : code;
}
