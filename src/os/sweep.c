/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Temporary files of writers that were killed. Names alone tell: ".NAME.tmp.PID.RANDOM".
 */
#include "os/file.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/sys.h"
#include "os/target.h"
#include "text/number.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

/* The process in `name`, and the bytes of NAME in *kept; 0 when it is not of this form. */
static pid_t writer_of(const char *name, size_t *kept)
{
    size_t n = strlen(name), random = 0, digits = 0;
    int64_t pid = 0;
    char text[20];

    while (n && strchr("0123456789abcdef", name[n - 1])) {
        n--;
        random++;
    }
    if (random != 16 || !n || name[n - 1] != '.')
        return 0;
    n--;
    while (digits < n && name[n - digits - 1] >= '0' && name[n - digits - 1] <= '9')
        digits++;
    n -= digits;
    if (!digits || digits >= sizeof text || n < 7 || name[0] != '.' || memcmp(name + n - 5, ".tmp.", 5))
        return 0;
    memcpy(text, name + n, digits);
    text[digits] = '\0';
    *kept = n - 6;
    return mdm_parse_i64(text, &pid) || pid > INT_MAX ? 0 : (pid_t)pid;
}

static int writes(const char *file, const char *name, size_t kept)
{
    const size_t n = strlen(file);

    return kept == (n < MDM_SYS_NAME_KEPT ? n : MDM_SYS_NAME_KEPT) && !memcmp(file, name + 1, kept);
}

struct sweep {
    const char *folder;
    const char *only; /* the file whose writers are looked for; NULL: of all files */
};

static int remove_stale(void *user, const char *name, enum mdm_file_kind kind)
{
    const struct sweep *s = user;
    size_t kept = 0;
    pid_t pid = kind == MDM_FILE_REGULAR ? writer_of(name, &kept) : 0;
    char *path;
    int status;

    if (pid <= 0 || (s->only && !writes(s->only, name, kept)) || !kill(pid, 0) || errno != ESRCH)
        return MASKDM_OK;
    path = mdm_path_join(s->folder, name);
    if (!path)
        return MASKDM_ENOMEM;
    status = mdm_file_remove(path);
    mdm_free(path);
    return status;
}

/* In a folder that is somebody else's: only what this link's own writers left, and no word where it is gone. */
static void sweep_link_end(const char *path)
{
    struct mdm_target t;
    struct sweep s;
    char *folder = NULL;

    if (mdm_target_find(&t, path) == MASKDM_OK && t.followed && !t.stream && (folder = mdm_sys_folder_of(t.path))) {
        const char *slash = strrchr(t.path, '/');

        s.folder = folder;
        s.only = slash ? slash + 1 : t.path;
        (void)mdm_folder_list(folder, remove_stale, &s);
    }
    mdm_free(folder);
    mdm_target_free(&t);
}

static int sweep_entry(void *user, const char *name, enum mdm_file_kind kind)
{
    const struct sweep *s = user;
    struct stat st;
    char *path = mdm_path_join(s->folder, name);

    if (!path)
        return MASKDM_ENOMEM;
    if (kind != MDM_FILE_FOLDER && !lstat(path, &st) && S_ISLNK(st.st_mode))
        sweep_link_end(path);
    mdm_free(path);
    return remove_stale(user, name, kind);
}

int mdm_folder_sweep(const char *path)
{
    struct sweep s = {path, NULL};

    return mdm_folder_list(path, sweep_entry, &s);
}
