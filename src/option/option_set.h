/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an options handle is. Private to src/option/option*.c.
 */
#ifndef MASKDM_OPTION_OPTION_SET_H
#define MASKDM_OPTION_OPTION_SET_H

#include "base/handle.h"
#include "option/option.h"
#include "text/text.h"

enum { MDM_OPTION_NAME = 64 }; /* bytes of a full name with its NUL */

struct mdm_option_slot {
    const struct mdm_option_table *table;
    const struct mdm_option *option;
    char name[MDM_OPTION_NAME]; /* with the prefix, in a composite */
    char said[MDM_OPTION_NAME]; /* in error lines: as the name in the handle that this one was made from */
    char *value;                /* canonical, or NULL: unset and without a default */
    int set;                    /* by the caller */
};

struct maskdm_options {
    struct mdm_handle handle;
    const struct mdm_option_kind *kind;
    int count;
    enum maskdm_option_spelling spelling;
    struct mdm_option_slot slot[];
};

/* The slot of this name, or NULL; the second form records MASKDM_ENOTFOUND with the name that was probably meant. */
struct mdm_option_slot *mdm_option_find(const maskdm_options *o, const char *name);
int mdm_option_need(struct mdm_option_slot **out, const maskdm_options *o, const char *name);
void mdm_option_name(char out[MDM_OPTION_NAME], const struct mdm_option_kind *kind,
                     const struct mdm_option_table *table, const struct mdm_option *option);
void mdm_option_spell(struct mdm_option_slot *slot, enum maskdm_option_spelling spelling);
/* Whether the table's selector stands at one of the choices that `when` names. */
int mdm_option_belongs(const maskdm_options *o, const struct mdm_option_slot *slot);
/* Back to the default. */
int mdm_option_reset(struct mdm_option_slot *slot);

/* `text` checked and in canonical form (mdm_free). `name` is for error lines. */
int mdm_option_canonical(char **out, const char *name, const struct mdm_option *o, const char *text);
/* "0 .. 1", "at least 1", or nothing. */
void mdm_option_range(struct mdm_text *t, const struct mdm_option *o);
/* Whether `word` is one of "a|b|c". */
int mdm_option_choice(const char *choices, const char *word);

#endif
