/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a conversion writes, judged before gigabytes are read: a place that can be written to, which is not the
 * checkpoint itself, under a name that does not promise another format.
 */
#include "run/convert.h"

#include "base/error.h"
#include "os/file.h"

#include <string.h>

/* Suffixes by which other programs would take the file for a checkpoint of PyTorch's. */
int mdm_convert_promises_torch(const char *path)
{
    static const char *const suffix[] = {".pt", ".pth", ".ckpt", ".bin", ".pkl"};
    const size_t n = strlen(path);

    for (size_t i = 0; i < MDM_LENGTH(suffix); i++) {
        const size_t length = strlen(suffix[i]);
        size_t k = 0;

        if (n < length)
            continue;
        while (k < length && (path[n - length + k] | 32) == (suffix[i][k] | 32))
            k++;
        if (k == length)
            return 1;
    }
    return 0;
}

int mdm_convert_check_apart(const char *what, const char *from, const char *out)
{
    struct mdm_folder_id a, b;
    enum mdm_file_kind kind;

    MDM_TRY(mdm_file_kind_of(&kind, out));
    if (kind != MDM_FILE_REGULAR)
        return MASKDM_OK;
    MDM_TRY(mdm_folder_id(&a, from));
    MDM_TRY(mdm_folder_id(&b, out));
    if (a.device == b.device && a.number == b.number)
        return mdm_fail(MASKDM_EINVAL, "%s and out are the same file, %s, which would be lost", what, from);
    return MASKDM_OK;
}

int mdm_convert_reserve(struct mdm_writer **writer, const char *from, const char *out)
{
    int stream;

    *writer = NULL;
    MDM_TRY(mdm_file_is_stream(&stream, out));
    if (!stream && mdm_convert_promises_torch(out))
        return mdm_fail(MASKDM_EINVAL, "cannot write %s: a model is written as .safetensors alone", out);
    if (!stream)
        MDM_TRY(mdm_convert_check_apart("from", from, out));
    return mdm_writer_reserve(writer, out);
}
