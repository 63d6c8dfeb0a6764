/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checks of arguments at the border, one for each kind of fault. The line names the function and the argument:
 * "maskdm_model_save: path is NULL".
 */
#ifndef MASKDM_API_ARGUMENT_H
#define MASKDM_API_ARGUMENT_H

#include "base/error.h"
#include "base/handle.h"
#include "option/option.h"
#include "tensor/tensor.h"
#include "text/text.h"

/* MASKDM_EINVAL with the line. */
int mdm_argument_null(const char *function, const char *argument);
/* MASKDM_OK, or MASKDM_EINVAL for a number that is no enum maskdm_weights. */
int mdm_argument_weights(const char *function, int which);
/* The same for a number that is no enum maskdm_sample_type. */
int mdm_argument_sample_type(const char *function, int sample_type);
/* Parameter i of a layout; the second form holds `count` against its elements. */
int mdm_argument_parameter(const struct mdm_param **out, const struct mdm_params *layout, int64_t i);
int mdm_argument_elements(const struct mdm_param **out, const struct mdm_params *layout, int64_t i,
                          int64_t count);
/* What a call answers in a text: where `status` is good, as much of it as fits, and how long it is with its NUL. The
 * text is freed. */
int mdm_argument_text(struct mdm_text *t, int status, char *buffer, size_t capacity, size_t *needed);
int mdm_argument_count(const char *function, const char *argument, int64_t count);

/* Returns MASKDM_EINVAL, the answer of statuses and numbers, from the function when the argument is NULL; NEED_OR
 * returns `answer`. */
#define MDM_NEED(argument)                                                                       \
    do {                                                                                            \
        if (!(argument))                                                                            \
            return mdm_argument_null(__func__, #argument);                                       \
    } while (0)
#define MDM_NEED_OR(argument, answer)                                                            \
    do {                                                                                            \
        if (!(argument)) {                                                                          \
            (void)mdm_argument_null(__func__, #argument);                                        \
            return answer;                                                                          \
        }                                                                                           \
    } while (0)
/* The place for a result, which is NULL until there is one. */
#define MDM_NEED_OUT(out)                                                                        \
    do {                                                                                            \
        MDM_NEED(out);                                                                           \
        *(out) = NULL;                                                                              \
    } while (0)
/* Not negative. */
#define MDM_NEED_COUNT(count) MDM_TRY(mdm_argument_count(__func__, #count, (count)))
/* An array may be NULL where it has no elements. */
#define MDM_NEED_ARRAY(array, count)                                                             \
    do {                                                                                            \
        if ((count) > 0)                                                                            \
            MDM_NEED(array);                                                                     \
    } while (0)
#define MDM_NEED_WEIGHTS(which) MDM_TRY(mdm_argument_weights(__func__, (which)))
#define MDM_NEED_SAMPLE_TYPE(type) MDM_TRY(mdm_argument_sample_type(__func__, (type)))

#endif
