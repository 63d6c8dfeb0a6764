/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is meant by the name of an output. A name with a suffix is a file's, and of pictures only PNG is written: a
 * folder called grid.jpg is what nobody asked for.
 */
#include "run/samples.h"

#include "base/error.h"

#include <string.h>

enum { LONGEST = 11 }; /* letters of a suffix, as "safetensors" has */

static int is_png(const char *suffix)
{
    return (suffix[0] | 32) == 'p' && (suffix[1] | 32) == 'n' && (suffix[2] | 32) == 'g' && !suffix[3];
}

/* ".hidden", "run-1.5" and "v1.2-final" have no suffix; ".png" is one. */
const char *mdm_samples_suffix(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    size_t digits, n = 0;

    if (!dot || (dot == name && !is_png(dot + 1)))
        return NULL;
    digits = strspn(dot + 1, "0123456789");
    while ((dot[1 + n] >= '0' && dot[1 + n] <= '9') || ((dot[1 + n] | 32) >= 'a' && (dot[1 + n] | 32) <= 'z'))
        n++;
    return n > digits && n <= LONGEST && !dot[1 + n] ? dot + 1 : NULL;
}

int mdm_samples_is_png(const char *path)
{
    const char *suffix = mdm_samples_suffix(path);

    return suffix && is_png(suffix);
}

int mdm_samples_is_grid(int *out, const char *path)
{
    const size_t n = strlen(path);
    const char *suffix = mdm_samples_suffix(path);
    enum mdm_file_kind kind;

    *out = 0;
    if (!n)
        return mdm_fail(MASKDM_EINVAL, "the path of the output is empty");
    MDM_TRY(mdm_file_kind_of(&kind, path));
    if (kind == MDM_FILE_FOLDER || path[n - 1] == '/')
        return MASKDM_OK;
    MDM_TRY(mdm_file_is_stream(out, path));
    if (*out)
        return MASKDM_OK;
    if (suffix && !is_png(suffix))
        return mdm_fail(MASKDM_EINVAL,
                        "cannot write %s: a grid is written as .png and nothing else; a new folder of single "
                        "images with such a name is meant by %s/",
                        path, path);
    if (!suffix && kind != MDM_FILE_NONE)
        return mdm_fail(MASKDM_EINVAL, "%s is not a folder; a grid's name ends in .png", path);
    *out = suffix != NULL;
    return MASKDM_OK;
}
