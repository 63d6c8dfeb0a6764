/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Folders and names. Listings are sorted by bytes, so that what is read never depends on the file system.
 */
#include "os/file.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/sys.h"
#include "os/target.h"
#include "text/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
    char *name;
    enum mdm_file_kind kind;
};

struct listing {
    struct entry *entry;
    size_t count, capacity;
};

static enum mdm_file_kind kind_of_mode(mode_t mode)
{
    return S_ISREG(mode) ? MDM_FILE_REGULAR : S_ISDIR(mode) ? MDM_FILE_FOLDER : MDM_FILE_OTHER;
}

int mdm_file_kind_of(enum mdm_file_kind *out, const char *path)
{
    struct stat st;

    *out = MDM_FILE_NONE;
    if (!path)
        return mdm_fail(MASKDM_EINVAL, "a path is NULL");
    if (mdm_sys_stat(path, &st)) {
        if (errno == ENOENT || errno == ENOTDIR)
            return MASKDM_OK;
        return mdm_sys_fail("stat", path);
    }
    *out = kind_of_mode(st.st_mode);
    return MASKDM_OK;
}

int mdm_folder_id(struct mdm_folder_id *out, const char *path)
{
    struct stat st;

    if (mdm_sys_stat(path, &st))
        return mdm_sys_fail("find", path);
    out->device = (uint64_t)st.st_dev;
    out->number = (uint64_t)st.st_ino;
    return MASKDM_OK;
}

static int make_one(const char *path);

/* A link whose end is missing: the folder is made where it points. */
static int make_at_end(const char *link)
{
    struct mdm_target end;
    int status = mdm_target_find(&end, link);

    if (status == MASKDM_OK)
        status = end.followed ? make_one(end.path) : mdm_fail(MASKDM_EIO, "cannot make the folder %s", link);
    mdm_target_free(&end);
    return status;
}

static int make_one(const char *path)
{
    struct stat st;
    char *parent;
    int status;

    if (!mdm_sys_stat(path, &st) && S_ISDIR(st.st_mode))
        return MASKDM_OK;
    if (mdm_sys_before("mkdir", path) || (mkdir(path, 0777) && errno != EEXIST))
        return mdm_sys_fail("make the folder", path);
    if (mdm_sys_stat(path, &st))
        return errno == ENOENT ? make_at_end(path) : mdm_sys_fail("stat", path);
    if (!S_ISDIR(st.st_mode))
        return mdm_fail(MASKDM_EIO, "cannot make the folder %s: something else has this name", path);
    /* A folder that a power cut removes would take acknowledged files with it. */
    parent = mdm_sys_folder_of(path);
    if (!parent)
        return MASKDM_ENOMEM;
    status = mdm_sys_flush_folder(parent);
    mdm_free(parent);
    return status;
}

int mdm_folder_make(const char *path)
{
    char *copy;
    size_t n = path ? strlen(path) : 0;
    int status = MASKDM_OK;

    if (!n)
        return mdm_fail(MASKDM_EINVAL, "the path of a folder is empty");
    copy = mdm_strdup(path);
    if (!copy)
        return mdm_fail_memory(n + 1, "a file name");
    while (n > 1 && copy[n - 1] == '/')
        copy[--n] = '\0';
    for (size_t i = 1; i < n && status >= 0; i++) {
        if (copy[i] != '/' || copy[i - 1] == '/')
            continue;
        copy[i] = '\0';
        status = make_one(copy);
        copy[i] = '/';
    }
    if (status >= 0)
        status = make_one(copy);
    mdm_free(copy);
    return status;
}

/* The nearest folder above that exists is where a missing one would be made. */
int mdm_folder_check(const char *path)
{
    char *folder = mdm_strdup(path), *above;
    enum mdm_file_kind kind = MDM_FILE_NONE;
    int status = folder ? MASKDM_OK : mdm_fail_memory(strlen(path) + 1, "a file name");

    while (status == MASKDM_OK) {
        size_t n = strlen(folder);

        while (n > 1 && folder[n - 1] == '/')
            folder[--n] = '\0';
        status = mdm_file_kind_of(&kind, folder);
        if (status < 0 || kind != MDM_FILE_NONE)
            break;
        above = mdm_sys_folder_of(folder);
        mdm_free(folder);
        folder = above;
        status = folder ? MASKDM_OK : MASKDM_ENOMEM;
    }
    if (status == MASKDM_OK && kind != MDM_FILE_FOLDER)
        status = mdm_fail(MASKDM_EINVAL, "cannot write %s: %s is not a folder", path, folder);
    if (status == MASKDM_OK && mdm_sys_may_write(folder))
        status = mdm_sys_fail("write into", folder);
    mdm_free(folder);
    return status;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void free_listing(struct listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        mdm_free(l->entry[i].name);
    mdm_free(l->entry);
}

static int add_entry(struct listing *l, DIR *dir, const struct dirent *d)
{
    struct stat st;
    struct entry e = { NULL, MDM_FILE_OTHER };

    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 64;
        void *grown = mdm_realloc(l->entry, capacity * sizeof *l->entry);

        if (!grown)
            return mdm_fail_memory(capacity * sizeof *l->entry, "a folder's listing");
        l->entry = grown;
        l->capacity = capacity;
    }
    e.name = mdm_strdup(d->d_name);
    if (!e.name)
        return mdm_fail_memory(strlen(d->d_name) + 1, "a folder's listing");
#ifdef DT_REG
    if (d->d_type == DT_REG)
        e.kind = MDM_FILE_REGULAR;
    else if (d->d_type == DT_DIR)
        e.kind = MDM_FILE_FOLDER;
    else
#endif
        if (!fstatat(dirfd(dir), d->d_name, &st, 0))
            e.kind = kind_of_mode(st.st_mode);
    l->entry[l->count++] = e;
    return MASKDM_OK;
}

static int read_entries(struct listing *l, DIR *dir, const char *path)
{
    for (;;) {
        const struct dirent *d;

        errno = 0;
        d = readdir(dir);
        if (!d)
            return errno ? mdm_sys_fail("list", path) : MASKDM_OK;
        if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
            MDM_TRY(add_entry(l, dir, d));
    }
}

int mdm_folder_list(const char *path, int (*visit)(void *user, const char *name, enum mdm_file_kind kind),
                    void *user)
{
    struct listing l = { NULL, 0, 0 };
    struct stat st;
    DIR *dir;
    int fd, status;

    if (!path)
        return mdm_fail(MASKDM_EINVAL, "the path of a folder is NULL");
    fd = mdm_sys_before("list", path) ? -1 : mdm_sys_open(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == ENOTDIR && !stat(path, &st))
        return mdm_fail(MASKDM_ENOTFOUND, "%s is a file, not a folder", path);
    if (fd < 0)
        return mdm_sys_fail("list", path);
    dir = fdopendir(fd);
    if (!dir) {
        status = mdm_sys_fail("list", path);
        (void)mdm_sys_close(fd, path);
        return status;
    }
    status = read_entries(&l, dir, path);
    (void)closedir(dir);
    if (status >= 0 && l.count)
        qsort(l.entry, l.count, sizeof *l.entry, compare);
    for (size_t i = 0; i < l.count && status >= 0; i++)
        status = visit(user, l.entry[i].name, l.entry[i].kind);
    free_listing(&l);
    return status < 0 ? status : MASKDM_OK;
}

int mdm_file_remove(const char *path)
{
    if (mdm_sys_unlink(path) && errno != ENOENT)
        return mdm_sys_fail("remove", path);
    return MASKDM_OK;
}

char *mdm_path_join(const char *folder, const char *name)
{
    struct mdm_text t = { 0 };
    size_t n = strlen(folder);

    mdm_text_addf(&t, "%s%s%s", folder, n && folder[n - 1] != '/' ? "/" : "", name);
    if (mdm_text_ok(&t) < 0)
        mdm_text_free(&t);
    return t.data;
}

char *mdm_path_beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    struct mdm_text t = {0};

    mdm_text_add_n(&t, path, slash ? (size_t)(slash - path) + 1 : 0);
    mdm_text_add(&t, name);
    if (mdm_text_ok(&t) < 0)
        mdm_text_free(&t);
    return t.data;
}
