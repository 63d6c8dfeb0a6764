/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the shapes of weights show.
 */
#include "model/shapes.h"

#include "base/error.h"
#include "text/text.h"

#include <math.h>

enum { NAME_LENGTH = 256 };

int64_t mdm_shapes_find(const struct mdm_tensorfile *s, const char *prefix, const char *name)
{
    char full[NAME_LENGTH];

    mdm_format(full, sizeof full, "%s%s", prefix, name);
    return mdm_tensorfile_find(s, full);
}

int mdm_shapes_read(const struct mdm_tensorfile *s, const char *prefix, const char *name, int rank,
                    const int64_t **shape)
{
    const int64_t at = mdm_shapes_find(s, prefix, name);

    if (at < 0)
        return mdm_fail(MASKDM_EFORMAT, "tensor \"%s%s\" of the network is missing", prefix, name);
    if (s->tensor[at].rank != rank)
        return mdm_fail(MASKDM_EFORMAT, "tensor \"%s%s\" has %d dimensions, the network's has %d", prefix, name,
                        s->tensor[at].rank, rank);
    *shape = s->tensor[at].shape;
    for (int i = 0; i < rank; i++)
        if ((*shape)[i] < 1)
            return mdm_fail(MASKDM_EFORMAT, "tensor \"%s%s\" is empty", prefix, name);
    return MASKDM_OK;
}

int mdm_shapes_set_bool(maskdm_options *o, const char *name, int value)
{
    return mdm_options_set(o, name, value ? "true" : "false");
}

/* A quotient that was rounded down would lose one. */
int mdm_shapes_set_ratio(maskdm_options *o, int64_t hidden, int64_t dim)
{
    double ratio = (double)hidden / (double)dim;
    struct mdm_text text = {0};
    int status;

    if ((int64_t)((double)dim * ratio) < hidden)
        ratio = nextafter(ratio, INFINITY);
    mdm_text_add_double(&text, ratio);
    status = mdm_text_ok(&text);
    if (status == MASKDM_OK)
        status = mdm_options_set(o, "mlp_ratio", text.data);
    mdm_text_free(&text);
    return status;
}

int mdm_shapes_set_square(maskdm_options *o, int64_t patches, int64_t patch)
{
    const int64_t side = (int64_t)sqrt((double)patches);

    return side * side == patches ? mdm_options_set_int(o, "image_size", side * patch) : MASKDM_OK;
}

int64_t mdm_shapes_count(const struct mdm_tensorfile *s, const char *prefix, const char *before, const char *behind)
{
    char name[NAME_LENGTH];

    for (int64_t n = 0;; n++) {
        mdm_format(name, sizeof name, "%s%lld%s", before, (long long)n, behind);
        if (mdm_shapes_find(s, prefix, name) < 0)
            return n;
    }
}
