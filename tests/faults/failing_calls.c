/* Lets write, fsync or rename fail for a run's checkpoints, as a dying disk does: a library to be preloaded.
 *
 * The file named by FAILING_CALLS says which call fails, how, and for which names, as in "fsync 5 .json"; none fails
 * while it is not there. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(const char *call, const char *path) {
    const char *orders = getenv("FAILING_CALLS");
    char failing[32] = "", part[32] = "";
    int number = 0, before = errno;
    FILE *file = orders && strstr(path, "/checkpoints") ? fopen(orders, "r") : NULL;
    if (file) {
        if (fscanf(file, "%31s %d %31s", failing, &number, part) != 3)
            number = 0;
        fclose(file);
    }
    errno = before;
    if (!number || strcmp(failing, call) || !strstr(path, part))
        return 0;
    errno = number;
    return 1;
}

static int descriptor_fails(const char *call, int descriptor) {
    char link[64], path[PATH_MAX];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    path[length < 0 ? 0 : length] = 0;
    return fails(call, path);
}

ssize_t write(int descriptor, const void *data, size_t length) {
    ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return descriptor_fails("write", descriptor) ? -1 : next(descriptor, data, length);
}

int fsync(int descriptor) {
    int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
    return descriptor_fails("fsync", descriptor) ? -1 : next(descriptor);
}

int rename(const char *from, const char *to) {
    int (*next)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    return fails("rename", to) ? -1 : next(from, to);
}
