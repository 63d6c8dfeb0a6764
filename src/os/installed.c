/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the files are that come with the library. An installation may have been moved, and a build folder is laid out
 * as one, so that they are looked for from where this code itself was loaded from: beside lib or bin there is share.
 */
#define _GNU_SOURCE

#include "os/file.h"

#include "base/alloc.h"
#include "base/error.h"
#include "config.h"
#include "os/sys.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

/* MASKDM_OK and the path, MASKDM_ENOTFOUND, or MASKDM_ENOMEM. */
static int look_at(char **out, const char *base, const char *above, const char *name)
{
    char *share = *above ? mdm_path_join(base, above) : mdm_strdup(base);
    char *path = share ? mdm_path_join(share, name) : NULL;
    enum mdm_file_kind kind = MDM_FILE_NONE;

    mdm_free(share);
    if (!path)
        return MASKDM_ENOMEM;
    if (mdm_file_kind_of(&kind, path) == MASKDM_OK && kind != MDM_FILE_NONE) {
        *out = path;
        return MASKDM_OK;
    }
    mdm_free(path);
    return MASKDM_ENOTFOUND;
}

/* From the folder of a file of the installation: lib or bin, or a folder in it. */
static int look_from(char **out, const char *file, const char *name)
{
    char *folder = mdm_sys_folder_of(file);
    int status = folder ? look_at(out, folder, "../share/maskdm", name) : MASKDM_ENOMEM;

    if (status == MASKDM_ENOTFOUND)
        status = look_at(out, folder, "../../share/maskdm", name);
    mdm_free(folder);
    return status;
}

/* The file of the library, or of whatever it is linked into; "" where the loader does not say. */
static void find_library(char *path, size_t capacity)
{
    static const char here;
    Dl_info of;

    path[0] = '\0';
    if (dladdr(&here, &of) && of.dli_fname && strchr(of.dli_fname, '/'))
        mdm_format(path, capacity, "%s", of.dli_fname);
}

/* That of the program; "" where the system does not say. */
static void find_program(char *path, size_t capacity)
{
    const ssize_t n = readlink("/proc/self/exe", path, capacity - 1);

    path[n > 0 ? n : 0] = '\0';
}

int mdm_installed_module(char **out, const char *name)
{
    static const char *const folders[] = {"maskdm", "", "../" MDM_LIBRARY_FOLDER "/maskdm"};
    char own[4096], *folder;
    int status = MASKDM_ENOTFOUND;

    *out = NULL;
    find_library(own, sizeof own);
    if (!*own)
        find_program(own, sizeof own);
    folder = mdm_sys_folder_of(own);
    if (!folder)
        return MASKDM_ENOMEM;
    for (size_t i = 0; *own && i < MDM_LENGTH(folders) && status == MASKDM_ENOTFOUND; i++)
        status = look_at(out, folder, folders[i], name);
    mdm_free(folder);
    return status == MASKDM_ENOTFOUND ? look_at(out, MDM_MODULE_FOLDER, "", name) : status;
}

int mdm_installed(char **out, const char *name)
{
    char own[4096];
    int status = MASKDM_ENOTFOUND;

    *out = NULL;
    find_library(own, sizeof own);
    if (*own)
        status = look_from(out, own, name);
    if (status == MASKDM_ENOTFOUND) {
        find_program(own, sizeof own);
        if (*own)
            status = look_from(out, own, name);
    }
    if (status == MASKDM_ENOTFOUND)
        status = look_at(out, MDM_DATA_FOLDER, "maskdm", name);
    return status == MASKDM_ENOTFOUND
               ? mdm_fail(MASKDM_ENOTFOUND, "share/maskdm/%s is not there, where the library, the program or %s is",
                          name, MDM_DATA_FOLDER)
               : status;
}
