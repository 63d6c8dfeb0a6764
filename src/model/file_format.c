/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The form of the files that we write has a number, which rises when something in them comes to mean something else.
 * A file of any other is not guessed at.
 */
#include "model/model.h"

#include "base/error.h"
#include "tensorfile/tensorfile.h"
#include "text/number.h"

#include <string.h>

int mdm_model_check_format(const struct mdm_tensorfile *s)
{
    const char *text = mdm_tensorfile_meta(s, "maskdm.format"), *version = mdm_tensorfile_meta(s, "maskdm.version");
    int64_t format;

    if (!text && !version)
        return MASKDM_OK;
    if (!text)
        return mdm_fail(MASKDM_EVERSION,
                        "version %.40s of libmaskdm wrote it before its files had a format; format %d is read",
                        version, MDM_FILE_FORMAT);
    if (mdm_parse_i64(text, &format) < 0)
        return mdm_fail(MASKDM_EFORMAT, "metadata entry \"maskdm.format\" is \"%.40s\", not a number like %d", text,
                        MDM_FILE_FORMAT);
    if (format != MDM_FILE_FORMAT)
        return mdm_fail(MASKDM_EVERSION, "version %.40s of libmaskdm wrote it in format %lld; format %d is read",
                        version ? version : "(unknown)", (long long)format, MDM_FILE_FORMAT);
    return MASKDM_OK;
}

int mdm_model_file_is(const struct mdm_tensorfile *s, const char *kind)
{
    const char *is = mdm_tensorfile_meta(s, "maskdm.kind");

    return is && strcmp(is, kind) == 0;
}
