/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Taking back a folder that was made for work which did not begin.
 */
#include "os/file.h"

#include "base/alloc.h"
#include "os/sys.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Bytes of `path` before its last name, without the slashes between them; 0: there is nothing before it. */
static size_t above(const char *path, size_t n)
{
    while (n && path[n - 1] == '/')
        n--;
    while (n && path[n - 1] != '/')
        n--;
    while (n && path[n - 1] == '/')
        n--;
    return n;
}

size_t mdm_folder_present(const char *path)
{
    char *copy = mdm_strdup(path);
    size_t n = strlen(path);
    struct stat st;

    if (!copy)
        return n; /* nothing will be taken back */
    while (n && mdm_sys_stat(copy, &st) && (errno == ENOENT || errno == ENOTDIR)) {
        n = above(copy, n);
        copy[n] = '\0';
    }
    mdm_free(copy);
    return n;
}

void mdm_folder_unmake(const char *path, size_t present)
{
    char *copy = mdm_strdup(path);
    size_t n = strlen(path);

    if (!copy)
        return;
    while (n > present && !mdm_sys_before("rmdir", copy) && !rmdir(copy)) {
        n = above(copy, n);
        copy[n] = '\0';
    }
    mdm_free(copy);
}
