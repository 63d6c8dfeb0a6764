/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lines of argument.h.
 */
#include "api/argument.h"

#include <maskdm/image.h>
#include <maskdm/model.h>

#include <string.h>

int mdm_argument_null(const char *function, const char *argument)
{
    return mdm_fail(MASKDM_EINVAL, "%s: %s is NULL", function, argument);
}

int mdm_argument_count(const char *function, const char *argument, int64_t count)
{
    return count < 0 ? mdm_fail(MASKDM_EINVAL, "%s: %s is %lld, and cannot be negative", function, argument,
                                (long long)count)
                     : MASKDM_OK;
}

int mdm_argument_weights(const char *function, int which)
{
    return which == MASKDM_WEIGHTS_EMA || which == MASKDM_WEIGHTS_ONLINE
               ? MASKDM_OK
               : mdm_fail(MASKDM_EINVAL, "%s: there are no weights %d; 0 is EMA, 1 online", function, which);
}

int mdm_argument_sample_type(const char *function, int sample_type)
{
    return sample_type >= MASKDM_SAMPLE_U8 && sample_type <= MASKDM_SAMPLE_FLOAT
               ? MASKDM_OK
               : mdm_fail(MASKDM_EINVAL, "%s: there are no samples of type %d; 0 is u8, 1 u16, 2 float", function,
                          sample_type);
}

int mdm_argument_parameter(const struct mdm_param **out, const struct mdm_params *layout, int64_t i)
{
    if (i < 0 || i >= layout->count)
        return mdm_fail(MASKDM_EINVAL, "parameter %lld is outside 0 .. %d", (long long)i, layout->count - 1);
    *out = &layout->list[i];
    return MASKDM_OK;
}

int mdm_argument_elements(const struct mdm_param **out, const struct mdm_params *layout, int64_t i, int64_t count)
{
    MDM_TRY(mdm_argument_parameter(out, layout, i));
    if (count != mdm_shape_numel(&(*out)->shape))
        return mdm_fail(MASKDM_ESHAPE, "parameter \"%s\" has %lld elements, not %lld", (*out)->name,
                        (long long)mdm_shape_numel(&(*out)->shape), (long long)count);
    return MASKDM_OK;
}

int mdm_argument_text(struct mdm_text *t, int status, char *buffer, size_t capacity, size_t *needed)
{
    size_t n;

    if (status >= 0)
        status = mdm_text_ok(t);
    if (status >= 0) {
        n = t->length < capacity ? t->length : capacity ? capacity - 1 : 0;
        if (capacity) {
            memcpy(buffer, t->data, n);
            buffer[n] = '\0';
        }
        if (needed)
            *needed = t->length + 1;
    }
    mdm_text_free(t);
    return status;
}
