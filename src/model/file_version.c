/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which versions' files are read: those of this version and of every one before it. A patch changes no file's
 * meaning; a minor version may, and its files are then not guessed at.
 */
#include "model/model.h"

#include "base/error.h"
#include "tensorfile/tensorfile.h"

enum { MOST_DIGITS = 6 };

/* "1.2.3", as mdm_model_write_meta() writes it. */
static int parse_version(const char *text, int part[3])
{
    for (int i = 0; i < 3; i++) {
        int digits = 0;

        for (part[i] = 0; *text >= '0' && *text <= '9' && digits < MOST_DIGITS; text++, digits++)
            part[i] = 10 * part[i] + (*text - '0');
        if (!digits || *text != (i < 2 ? '.' : '\0'))
            return -1;
        text++;
    }
    return 0;
}

int mdm_model_check_version(const struct mdm_tensorfile *s)
{
    const char *text = mdm_tensorfile_meta(s, "maskdm.version");
    int part[3];

    if (!text)
        return MASKDM_OK;
    if (parse_version(text, part))
        return mdm_fail(MASKDM_EFORMAT, "metadata entry \"maskdm.version\" is \"%.40s\", not a version like %d.%d.%d",
                        text, MASKDM_VERSION_MAJOR, MASKDM_VERSION_MINOR, MASKDM_VERSION_PATCH);
    if (part[0] > MASKDM_VERSION_MAJOR || (part[0] == MASKDM_VERSION_MAJOR && part[1] > MASKDM_VERSION_MINOR))
        return mdm_fail(MASKDM_EVERSION,
                        "version %s of libmaskdm wrote it; this is version %d.%d.%d, which does not know its form",
                        text, MASKDM_VERSION_MAJOR, MASKDM_VERSION_MINOR, MASKDM_VERSION_PATCH);
    return MASKDM_OK;
}
