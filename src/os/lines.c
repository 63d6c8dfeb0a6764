/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lines of a text whose size is not known.
 */
#include "os/file.h"

#include "base/error.h"
#include "os/sys.h"

#include <fcntl.h>
#include <string.h>

enum { ROOM = 2048 };

struct lines {
    char text[ROOM];
    size_t used;
    int skip; /* in a line that is too long */
};

/* Hands on every whole line, and what is left when `last`. */
static int see_lines(struct lines *l, int last, int (*see)(void *user, char *line), void *user)
{
    char *at = l->text, *end;
    int status = 0;

    while (!status && (end = memchr(at, '\n', l->used))) {
        *end = '\0';
        if (!l->skip)
            status = see(user, at);
        l->skip = 0;
        l->used -= (size_t)(end + 1 - at);
        at = end + 1;
    }
    memmove(l->text, at, l->used);
    if (!status && last && l->used && !l->skip) {
        l->text[l->used] = '\0';
        return see(user, l->text);
    }
    if (l->used == ROOM - 1) {
        l->skip = 1;
        l->used = 0;
    }
    return status;
}

int mdm_file_lines(const char *path, int (*see)(void *user, char *line), void *user)
{
    struct lines l = {.used = 0};
    int fd = mdm_sys_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY), status = 0;
    uint64_t at = 0;
    ssize_t n = fd < 0 ? -1 : 1;

    while (n > 0 && !status) {
        n = mdm_sys_pread(fd, path, l.text + l.used, ROOM - 1 - l.used, at);
        if (n >= 0) {
            at += (uint64_t)n;
            l.used += (size_t)n;
            status = see_lines(&l, n == 0, see, user);
        }
    }
    if (fd >= 0)
        (void)mdm_sys_close(fd, path);
    return status ? status : n < 0 ? MASKDM_EIO : MASKDM_OK;
}
