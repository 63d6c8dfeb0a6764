/* SPDX-License-Identifier: BSD-2-Clause
 *
 * /proc/self/cgroup names the process's group in every hierarchy, /proc/self/mountinfo where a hierarchy is mounted
 * and which of its groups is the top there (proc_pid_mountinfo(5), cgroups(7)). In a container the two may be told
 * from different namespaces; the mount's top is then taken for the group.
 */
#include "os/cgroup.h"

#include "base/error.h"
#include "os/file.h"

#include <stdio.h>
#include <string.h>

enum { PATH = 1024, DIGITS = 18 };

struct walk {
    const char *root, *controller;
    int version;
    char group[PATH];
    void (*see)(void *user, const char *folder);
    void *user;
};

/* Whether `word` is one of a list parted by commas. */
static int has_word(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = list; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return 1;
    }
    return 0;
}

/* ID:CONTROLLERS:PATH; version 2 has no controllers there. */
static int find_group(void *user, char *line)
{
    struct walk *w = user;
    char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

    if (!path || strlen(path + 1) >= PATH)
        return 0;
    *path++ = '\0';
    list++;
    if (w->version == 2 ? *list != '\0' : !has_word(list, w->controller))
        return 0;
    memcpy(w->group, path, strlen(path) + 1);
    return 1;
}

/* The next field of a line, with its \ooo made bytes; NULL at the end. */
static char *next_field(char **at)
{
    char *field = *at, *to = field, *p = field;

    if (!field || !*field)
        return NULL;
    for (; *p && *p != ' '; p++) {
        if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
            *to++ = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + p[3] - '0');
            p += 3;
        } else {
            *to++ = *p;
        }
    }
    *at = *p ? p + 1 : p;
    *to = '\0';
    return field;
}

/* The group's path below the mount's top. */
static const char *below(const char *group, const char *top)
{
    size_t n = strcmp(top, "/") == 0 ? 0 : strlen(top);

    if (strncmp(group, top, n) != 0 || (group[n] != '/' && group[n] != '\0') || strncmp(group + n, "/..", 3) == 0)
        return "";
    return strcmp(group + n, "/") == 0 ? "" : group + n;
}

static void see_folders(const struct walk *w, const char *mount, const char *group)
{
    char folder[2 * PATH];
    size_t top = strlen(w->root) + strlen(mount);
    int n = snprintf(folder, sizeof folder, "%s%s%s", w->root, mount, group);

    if (n < 0 || (size_t)n >= sizeof folder)
        return;
    for (;;) {
        char *cut = strrchr(folder, '/');

        w->see(w->user, folder);
        if (!cut || (size_t)(cut - folder) < top)
            return;
        *cut = '\0';
    }
}

/* ID PARENT DEVICE TOP MOUNT OPTIONS [MORE...] - TYPE SOURCE SUPER_OPTIONS */
static int see_mount(void *user, char *line)
{
    struct walk *w = user;
    char *field[5], *rest = strstr(line, " - "), *at = line, *type, *options;

    if (!rest)
        return 0;
    *rest = '\0';
    rest += 3;
    for (int i = 0; i < 5; i++)
        if (!(field[i] = next_field(&at)))
            return 0;
    type = next_field(&rest);
    options = next_field(&rest) ? next_field(&rest) : NULL;
    if (!type || !options || strcmp(type, w->version == 2 ? "cgroup2" : "cgroup") != 0 ||
        (w->version == 1 && !has_word(options, w->controller)))
        return 0;
    see_folders(w, field[4], below(w->group, field[3]));
    return 0;
}

static void visit_groups(const char *root, const char *controller, void (*see)(void *user, const char *folder),
                         void *user)
{
    struct walk w = {.root = root, .controller = controller, .see = see, .user = user};
    char path[PATH];

    for (w.version = 1; w.version <= 2; w.version++) {
        int n = snprintf(path, sizeof path, "%s/proc/self/cgroup", root);

        if (n < 0 || (size_t)n >= sizeof path || mdm_file_lines(path, find_group, &w) != 1)
            continue;
        n = snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
        if (n >= 0 && (size_t)n < sizeof path)
            (void)mdm_file_lines(path, see_mount, &w);
    }
}

/* Digits alone, up to `end`; -1 for what is no such number ("max", "-1"). */
static int64_t read_digits(const char *s, const char *end)
{
    int64_t n = 0;

    if (s == end || end - s > DIGITS)
        return -1;
    for (; s < end; s++) {
        if (*s < '0' || *s > '9')
            return -1;
        n = n * 10 + (*s - '0');
    }
    return n;
}

struct numbers {
    int64_t first, second; /* -1: none */
};

static int read_line(void *user, char *line)
{
    struct numbers *n = user;
    char *gap = strchr(line, ' ');

    n->first = read_digits(line, gap ? gap : line + strlen(line));
    if (gap)
        n->second = read_digits(gap + 1, gap + strlen(gap));
    return 1;
}

/* The one or two numbers of a file's first line. */
static struct numbers read_numbers(const char *folder, const char *name)
{
    struct numbers n = {-1, -1};
    char path[2 * PATH + 32];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);

    if (length >= 0 && (size_t)length < sizeof path)
        (void)mdm_file_lines(path, read_line, &n);
    return n;
}

static void see_quota(void *user, const char *folder)
{
    int64_t *least = user, cores;
    struct numbers q = read_numbers(folder, "cpu.max");

    if (q.first < 0) {
        q.first = read_numbers(folder, "cpu.cfs_quota_us").first;
        q.second = read_numbers(folder, "cpu.cfs_period_us").first;
    }
    if (q.first < 0 || q.second <= 0)
        return;
    cores = q.first / q.second + (q.first % q.second != 0);
    cores = cores < 1 ? 1 : cores;
    if (!*least || cores < *least)
        *least = cores;
}

int64_t mdm_cgroup_cpus(const char *root)
{
    int64_t least = 0;

    visit_groups(root, "cpu", see_quota, &least);
    return least;
}

static void see_tasks(void *user, const char *folder)
{
    int64_t *full = user, most = read_numbers(folder, "pids.max").first;

    if (most >= 0 && read_numbers(folder, "pids.current").first >= most && (*full < 0 || most < *full))
        *full = most;
}

int64_t mdm_cgroup_tasks(const char *root)
{
    int64_t full = -1;

    visit_groups(root, "pids", see_tasks, &full);
    return full;
}
