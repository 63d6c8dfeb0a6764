/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a conversion writes, judged before gigabytes are read: a place that can be written to, which is not the
 * checkpoint itself, under a name that does not promise another format.
 */
#include "run/convert.h"

#include "run/options.h"
#include "util/error.h"
#include "util/file.h"

#include <string.h>

/* Suffixes by which other programs would take the file for a checkpoint of PyTorch's. */
static int promises_torch(const char *path)
{
    static const char *const suffix[] = {".pt", ".pth", ".ckpt", ".bin", ".pkl"};
    const size_t n = strlen(path);

    for (size_t i = 0; i < MASKDM_LENGTH(suffix); i++) {
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

static int check_not_itself(const char *from, const char *out)
{
    struct maskdm_folder_id a, b;
    enum maskdm_file_kind kind;

    MASKDM_TRY(maskdm_file_kind_of(&kind, out));
    if (kind != MASKDM_FILE_REGULAR)
        return MASKDM_OK;
    MASKDM_TRY(maskdm_folder_id(&a, from));
    MASKDM_TRY(maskdm_folder_id(&b, out));
    if (a.device == b.device && a.number == b.number)
        return maskdm_fail(MASKDM_EINVAL, "from and out are the same file, %s, which would be lost", from);
    return MASKDM_OK;
}

int maskdm_convert_reserve(struct maskdm_writer **writer, const maskdm_options *options)
{
    const char *from = maskdm_optionset_string(options, "from"), *out = maskdm_optionset_string(options, "out");
    int stream;

    *writer = NULL;
    MASKDM_TRY(maskdm_file_is_stream(&stream, out));
    if (!stream && promises_torch(out))
        return maskdm_fail(MASKDM_EINVAL, "cannot write %s: a model is written as .safetensors alone", out);
    if (!stream)
        MASKDM_TRY(check_not_itself(from, out));
    return maskdm_writer_reserve(writer, out);
}
