/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words for each kind of remark.
 */
#include "image/remark.h"

#include "base/format.h"

#include <string.h>

static const struct {
    const char *before, *after; /* of the number; after NULL: there is none */
    int adds_up, fault;
} words[MDM_REMARKS] = {
    [MDM_REMARK_STRAY] = {"", " stray bytes before a marker", 1, 1},
    [MDM_REMARK_JFIF] = {"unknown JFIF version ", "", 0, 1},
    [MDM_REMARK_ADOBE] = {"unknown Adobe colour transform ", "", 0, 1},
    [MDM_REMARK_SCAN] = {"", " scans with parameters that their kind of JPEG cannot have", 1, 1},
    [MDM_REMARK_NO_END] = {"no end marker behind the whole picture", NULL, 0, 1},
    [MDM_REMARK_TRAILER] = {"", " bytes behind the end of the picture", 0, 1},
    [MDM_REMARK_CHECKSUM] = {"", " side chunks with a wrong checksum", 1, 1},
    [MDM_REMARK_STREAM] = {"compressed data that ends oddly behind the whole picture", NULL, 0, 1},
    [MDM_REMARK_OPAQUE] = {"misplaced or malformed transparency is left out", NULL, 0, 1},
    [MDM_REMARK_TURNED] = {"turned upright from EXIF orientation ", "", 0, 0},
    [MDM_REMARK_NOT_TURNED] = {"EXIF orientation ", " not followed", 0, 0},
    [MDM_REMARK_COMPOSED] = {"what is transparent is laid over the background", NULL, 0, 0},
};

void mdm_remark_add(struct mdm_remarks *r, enum mdm_remark kind, int64_t number)
{
    r->times[kind]++;
    r->number[kind] = number + (words[kind].adds_up ? r->number[kind] : 0);
}

void mdm_remark_text(char *out, size_t capacity, enum mdm_remark kind, int64_t number)
{
    if (words[kind].after)
        mdm_format(out, capacity, "%s%lld%s", words[kind].before, (long long)number, words[kind].after);
    else
        mdm_format(out, capacity, "%s", words[kind].before);
}

int mdm_remark_is_fault(enum mdm_remark kind)
{
    return words[kind].fault;
}

void mdm_remarks_text(char *out, size_t capacity, const struct mdm_remarks *r)
{
    size_t n = 0;

    out[0] = '\0';
    for (int k = 0; k < MDM_REMARKS; k++)
        if (r->times[k] && n + 2 < capacity) {
            if (n)
                memcpy(out + n, ", ", 3);
            n += n ? 2 : 0;
            mdm_remark_text(out + n, capacity - n, (enum mdm_remark)k, r->number[k]);
            n += strlen(out + n);
        }
}
