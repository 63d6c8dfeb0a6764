/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libjpeg warns and goes on whether a stray byte was passed over or half the picture is missing. The table has a row
 * for each warning of libjpeg and libjpeg-turbo but for two that some builds lack: JWRN_ARITH_BAD_CODE, damaged data,
 * and JWRN_BOGUS_ICC, which cannot come, since no profile is asked for. What is not in the table is a refusal.
 */
#include "image/jpeg_warning.h"

#include "base/error.h"

#include <jconfig.h>
#include <jerror.h>

enum { STRAY_MOST = 32 }; /* bytes behind compressed data; a lost block or two leave about as many */

typedef int judge(struct mdm_remarks *r, int number, const struct mdm_jpeg_place *place);

static int refuse(struct mdm_remarks *r, int number, const struct mdm_jpeg_place *place)
{
    (void)r;
    (void)number;
    (void)place;
    return 0;
}

/* Between the segments before the first scan nothing of the picture is lost. Behind compressed data, of which every
 * block was decoded by then, encoders and cameras pad: with a few bytes, or with many equal ones before a marker.
 * More is data in which the decoder lost its place, and what goes on up to the file's end is a hole in the file. */
static int stray(struct mdm_remarks *r, int number, const struct mdm_jpeg_place *place)
{
    if (place->scans && place->ended)
        return 0;
    if (place->scans && number > STRAY_MOST) {
        if (!place->stray)
            return 0;
        for (int i = 1; i < number; i++)
            if (place->stray[i] != place->stray[0])
                return 0;
    }
    mdm_remark_add(r, MDM_REMARK_STRAY, number);
    return 1;
}

static int jfif(struct mdm_remarks *r, int number, const struct mdm_jpeg_place *place)
{
    (void)place;
    mdm_remark_add(r, MDM_REMARK_JFIF, number);
    return 1;
}

static int adobe(struct mdm_remarks *r, int number, const struct mdm_jpeg_place *place)
{
    (void)place;
    mdm_remark_add(r, MDM_REMARK_ADOBE, number);
    return 1;
}

static int scan(struct mdm_remarks *r, int number, const struct mdm_jpeg_place *place)
{
    (void)number;
    (void)place;
    mdm_remark_add(r, MDM_REMARK_SCAN, 1);
    return 1;
}

static int end(struct mdm_remarks *r, int number, const struct mdm_jpeg_place *place)
{
    (void)number;
    (void)place;
    if (!r->times[MDM_REMARK_NO_END])
        mdm_remark_add(r, MDM_REMARK_NO_END, 1);
    return 1;
}

static const struct {
    int code;
    judge *judge;
} table[] = {
    {JWRN_EXTRANEOUS_DATA, stray},    /* bytes before a marker that belong to nothing */
    {JWRN_JFIF_MAJOR, jfif},          /* the version changes no meaning */
    {JWRN_ADOBE_XFORM, adobe},        /* taken for YCbCr or YCCK, as by every reader */
    {JWRN_NOT_SEQUENTIAL, scan},      /* fields that mean nothing in a baseline scan are not 0, 63, 0, 0 */
    {JWRN_JPEG_EOF, end},             /* the reader looked behind the end; jpeg.c asks whether all had come */
    {JWRN_HIT_MARKER, refuse},        /* blocks were made up where data had ended */
    {JWRN_HUFF_BAD_CODE, refuse},     /* damaged data */
    {JWRN_MUST_RESYNC, refuse},       /* restart intervals are missing or repeated */
    {JWRN_BOGUS_PROGRESSION, refuse}, /* a scan refines what no scan before it gave: that one is lost */
    {JWRN_TOO_MUCH_DATA, refuse},     /* more rows asked for than there are: a fault of ours */
};

int mdm_jpeg_warning(struct mdm_remarks *r, int code, int number, const struct mdm_jpeg_place *place)
{
    for (size_t i = 0; i < MDM_LENGTH(table); i++)
        if (table[i].code == code)
            return table[i].judge(r, number, place);
    return 0;
}
