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

union mdm_option_number {
    int64_t whole; /* INT; BOOL: 0 or 1; CHOICE: its place among the choices */
    double real;   /* FLOAT */
};

/* All zero is unset. */
struct mdm_option_value {
    char *text; /* canonical, for the outside */
    union mdm_option_number number, *list;
    int count; /* in the list */
};

struct mdm_option_slot {
    struct mdm_option_place place; /* of rows that share a name, the picked one, once one of them was picked */
    char name[MDM_OPTION_NAME];    /* with the prefix, in a composite */
    char said[MDM_OPTION_NAME];    /* in error lines: as the name in the handle that this one was made from */
    struct mdm_option_value value;
    int set; /* by the caller */
};

struct maskdm_options {
    struct mdm_handle handle;
    const struct mdm_option_kind *kind;
    int count;
    enum maskdm_option_spelling spelling;
    maskdm_options **stage; /* handles of the same kind, in which what a stage says of itself is set */
    int stages;
    struct mdm_option_slot slot[];
};

/* ---- option_name.c ---- */
/* The slot of this name, or NULL; the second form records MASKDM_ENOTFOUND with the name that was probably meant. */
struct mdm_option_slot *mdm_option_find(const maskdm_options *o, const char *name);
int mdm_option_need(struct mdm_option_slot **out, const maskdm_options *o, const char *name);
void mdm_option_name(char out[MDM_OPTION_NAME], const struct mdm_option_kind *kind,
                     const struct mdm_option_table *table, const struct mdm_option *option);
void mdm_option_spell(struct mdm_option_slot *slot, enum maskdm_option_spelling spelling);

/* ---- option.c ---- */
int mdm_option_reset(maskdm_options *o, struct mdm_option_slot *slot); /* to its default, and what follows it */

/* ---- option_stage.c ---- */
/* What was given in `from` is set in `to`, which is of its kind. */
int mdm_option_set_over(maskdm_options *to, const maskdm_options *from);
int mdm_option_has_stages(const struct mdm_option_kind *kind);
int mdm_option_is_of_stage(const struct mdm_option_place *place);
/* A stage behind the others, which says nothing yet. It is the list's. */
int mdm_option_new_stage(maskdm_options **out, maskdm_options *o);
/* A line, MASKDM_EINVAL, for one that is not. */
int mdm_option_refuse_stage(const struct mdm_option_slot *slot);

/* ---- option_standard.c ---- */
/* Text of its default in this handle; NULL: unset until given. */
const char *mdm_option_standard(const maskdm_options *o, const struct mdm_option_slot *slot);
/* What the kind has for defaults in place of the row's, one after the other; NULL: none is left. The first that does
 * not give way to what is given holds. */
const struct mdm_option_default *mdm_option_kinds_own(const struct mdm_option_place *place,
                                                      const struct mdm_option_default *behind);
int mdm_option_refill(const maskdm_options *o, struct mdm_option_slot *slot); /* with its default */
/* Behind a change of whether `slot` was set: defaults that hold only where it was not. */
int mdm_option_give_way(maskdm_options *o, const struct mdm_option_slot *slot);

/* ---- option_select.c ---- */
/* As mdm_options_check(), without the stages. */
int mdm_option_check_flat(const maskdm_options *o);
/* Whether the selectors stand at what this option belongs to. */
int mdm_option_belongs(const maskdm_options *o, const struct mdm_option_slot *slot);
/* Behind a change of `chooser`: the options of the tables among which it picks, if any, become those of the picked
 * table, at its defaults where they were not set. */
int mdm_option_follow(maskdm_options *o, const struct mdm_option_slot *chooser);
/* The option of a table of this name, unless another table was picked in its place, or NULL. */
const struct mdm_option_slot *mdm_option_in_table(const maskdm_options *o, const char *table, const char *name);
/* MASKDM_EINVAL: no options of kind `needed` are in `given`. */
int mdm_option_refuse_kind(const struct mdm_option_kind *needed, const maskdm_options *given);

/* ---- option_needs.c ---- */
/* Whether it does something beside what the others stand at. */
int mdm_option_has_effect(int *has, const maskdm_options *o, const struct mdm_option_slot *slot);

/* ---- option_kind.c ---- */
/* The row of this name in a table, or NULL. */
const struct mdm_option *mdm_option_row(const struct mdm_option_table *table, const char *name);
/* "uvit|dit": which of the tables that a place's chooser picks among have an option of its name. */
void mdm_option_owners(struct mdm_text *t, const struct mdm_option_place *place);

/* ---- option_value.c ---- */
/* `text` checked and read. `said` is for error lines. */
int mdm_option_parse(struct mdm_option_value *out, const char *said, const struct mdm_option *o, const char *text);
int mdm_option_copy(struct mdm_option_value *to, const struct mdm_option_value *from);
void mdm_option_free(struct mdm_option_value *v);
/* "0 .. 1", "at least 1", or nothing. */
void mdm_option_range(struct mdm_text *t, const struct mdm_option *o);
void mdm_option_choices(struct mdm_text *t, const struct mdm_option *o); /* "a|b|c" */
/* Place of `word` in "a|b|c", or -1. */
int mdm_option_among(const char *words, const char *word);
/* The alternative at `at`, "name" or "name=value" of those between bars: its name, and its value (within `name`) or
 * NULL; where the next one begins, or NULL. */
const char *mdm_option_next(char name[MDM_OPTION_NAME], const char **value, const char *at);

#endif
