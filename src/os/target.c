/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Following a path that is to be written; see target.h. The kernel walks the whole path first, so that its own rules
 * hold (loops, links of strangers in /tmp); only then are the links read one by one for the name at their end.
 */
#include "os/target.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/sys.h"
#include "text/number.h"
#include "text/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { MOST_LINKS = 40, LINK_BYTES = 4096 };

int mdm_target_check(const struct stat *st, const char *path)
{
    static const struct {
        mode_t type;
        const char *what;
    } refused[] = {{S_IFDIR, "a folder"}, {S_IFSOCK, "a socket"}, {S_IFBLK, "a block device"}};

    for (size_t i = 0; i < MDM_LENGTH(refused); i++)
        if ((st->st_mode & S_IFMT) == refused[i].type)
            return mdm_fail(MASKDM_EINVAL, "cannot write %s: it is %s", path, refused[i].what);
    return MASKDM_OK;
}

/* Links in /proc that stand for open files name no place that could be renamed over, whatever their text says. */
static int is_of_the_system(const struct stat *link)
{
    struct stat self, table;

    return !lstat("/proc/self", &self) && S_ISLNK(self.st_mode) && !stat("/proc/self/fd", &table) &&
           S_ISDIR(table.st_mode) && link->st_dev == self.st_dev;
}

/* The number of this process's open file that `path`, a link in /proc, stands for, or -1. */
static int own_descriptor(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct stat mine, theirs;
    int64_t number;
    char *folder;
    int same;

    if (!*name || name[strspn(name, "0123456789")] || mdm_parse_i64(name, &number) || number > INT_MAX)
        return -1;
    folder = mdm_sys_folder_of(path);
    if (!folder)
        return -1;
    same = !stat(folder, &theirs) && !stat("/proc/self/fd", &mine) && mine.st_dev == theirs.st_dev &&
           mine.st_ino == theirs.st_ino;
    mdm_free(folder);
    return same ? (int)number : -1;
}

/* What the link t->path says takes its place. */
static int follow(struct mdm_target *t)
{
    const char *slash = strrchr(t->path, '/');
    struct mdm_text next = {0};
    char to[LINK_BYTES];
    ssize_t n = readlink(t->path, to, sizeof to);
    int status;

    if (n < 0 || n == (ssize_t)sizeof to) {
        errno = n < 0 ? errno : ENAMETOOLONG;
        return mdm_sys_fail("follow the link", t->path);
    }
    if (slash && (!n || to[0] != '/'))
        mdm_text_add_n(&next, t->path, (size_t)(slash - t->path) + 1);
    mdm_text_add_n(&next, to, (size_t)n);
    status = mdm_text_ok(&next);
    if (status < 0) {
        mdm_text_free(&next);
        return status;
    }
    mdm_free(t->path);
    t->path = next.data;
    t->followed = 1;
    return MASKDM_OK;
}

/* The link t->path, one of the system's own, is where the way ends. */
static int end_in_system(struct mdm_target *t)
{
    t->descriptor = own_descriptor(t->path);
    t->stream = 1;
    if (!t->exists || (t->descriptor < 0 && S_ISREG(t->st.st_mode)))
        return mdm_fail(MASKDM_EINVAL, "cannot write %s: it stands for a file that another process has open",
                        t->path);
    return mdm_target_check(&t->st, t->path);
}

static int walk(struct mdm_target *t)
{
    for (int i = 0; i <= MOST_LINKS; i++) {
        size_t n = strlen(t->path);
        struct stat link;

        if (lstat(t->path, &link)) {
            t->exists = 0;
            if (errno != ENOENT)
                return mdm_sys_fail("open", t->path);
            if (n && t->path[n - 1] == '/')
                return mdm_fail(MASKDM_EINVAL, "cannot write %s: the name of a file ends in no slash", t->path);
            return MASKDM_OK;
        }
        if (!S_ISLNK(link.st_mode)) {
            t->st = link;
            t->exists = 1;
            t->stream = !S_ISREG(link.st_mode);
            return mdm_target_check(&link, t->path);
        }
        if (is_of_the_system(&link))
            return end_in_system(t);
        MDM_TRY(follow(t));
    }
    errno = ELOOP;
    return mdm_sys_fail("open", t->path);
}

int mdm_target_find(struct mdm_target *out, const char *path)
{
    memset(out, 0, sizeof *out);
    out->descriptor = -1;
    if (!strcmp(path, "-")) /* to most programs the standard output; nobody means a file of that name */
        return mdm_fail(MASKDM_EINVAL,
                        "cannot write -: the standard output is /dev/stdout here, a file of that name ./-");
    out->path = mdm_strdup(path);
    if (!out->path)
        return mdm_fail_memory(strlen(path) + 1, "a file name");
    out->exists = !mdm_sys_stat(path, &out->st);
    if (!out->exists && errno != ENOENT)
        return mdm_sys_fail("open", path);
    return walk(out);
}

void mdm_target_free(struct mdm_target *t)
{
    mdm_free(t->path);
    t->path = NULL;
}
