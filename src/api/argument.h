/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checks of arguments at the border, one for each kind of fault. The line names the function and the argument:
 * "maskdm_model_save: path is NULL".
 */
#ifndef MASKDM_API_ARGUMENT_H
#define MASKDM_API_ARGUMENT_H

#include "tensor/tensor.h"
#include "util/error.h"
#include "util/handle.h"
#include "util/option.h"

/* MASKDM_EINVAL with the line. */
int maskdm_argument_null(const char *function, const char *argument);
/* MASKDM_OK, or MASKDM_EINVAL for a number that is no enum maskdm_weights. */
int maskdm_argument_weights(const char *function, int which);
/* Parameter i of a layout; the second form holds `count` against its elements. */
int maskdm_argument_parameter(const struct maskdm_param **out, const struct maskdm_params *layout, int64_t i);
int maskdm_argument_elements(const struct maskdm_param **out, const struct maskdm_params *layout, int64_t i,
                             int64_t count);
int maskdm_argument_count(const char *function, const char *argument, int64_t count);

/* Returns MASKDM_EINVAL from the function when the argument is NULL; NEED_OR returns `answer`. */
#define MASKDM_NEED(argument)                                                                       \
    do {                                                                                            \
        if (!(argument))                                                                            \
            return maskdm_argument_null(__func__, #argument);                                       \
    } while (0)
#define MASKDM_NEED_OR(argument, answer)                                                            \
    do {                                                                                            \
        if (!(argument)) {                                                                          \
            (void)maskdm_argument_null(__func__, #argument);                                        \
            return answer;                                                                          \
        }                                                                                           \
    } while (0)
/* The place for a result, which is NULL until there is one. */
#define MASKDM_NEED_OUT(out)                                                                        \
    do {                                                                                            \
        MASKDM_NEED(out);                                                                           \
        *(out) = NULL;                                                                              \
    } while (0)
/* Not negative. */
#define MASKDM_NEED_COUNT(count) MASKDM_TRY(maskdm_argument_count(__func__, #count, (count)))
/* An array may be NULL where it has no elements. */
#define MASKDM_NEED_ARRAY(array, count)                                                             \
    do {                                                                                            \
        if ((count) > 0)                                                                            \
            MASKDM_NEED(array);                                                                     \
    } while (0)
#define MASKDM_NEED_WEIGHTS(which) MASKDM_TRY(maskdm_argument_weights(__func__, (int)(which)))

#endif
