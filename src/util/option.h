/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables: each configurable thing declares one. From the tables come the public options handle, the
 * program's flags, --help, the man page, the JSON in files and the reference documentation.
 *
 * A table may have a selector: its first option, of type CHOICE, and other options then name in `when` the
 * choices to which they belong ("block", or "patch|block"). Setting an option whose `when` does not hold is an
 * error at maskdm_options_check().
 */
#ifndef MASKDM_UTIL_OPTION_H
#define MASKDM_UTIL_OPTION_H

#include <maskdm/options.h>

#include "util/json.h"

struct maskdm_option {
    const char *name; /* snake_case, without the table's prefix */
    enum maskdm_option_type type;
    const char *standard; /* default, in the text form that the setter takes; NULL: unset until given */
    double min, max;      /* INT, FLOAT and lists: each element; both 0: any. Lists: see `most` */
    const char *choices;  /* CHOICE: "linear|cosine|shifted" */
    int most;             /* lists: longest; 0: 8 */
    const char *unit;     /* "pixels", "steps", "bytes" ..., or NULL */
    const char *when;     /* choices of the selector that this option belongs to, or NULL */
    const char *help;     /* one line, no full stop */
};

struct maskdm_option_table {
    const char *name;   /* "uvit", "mask", "scheduler" ... */
    const char *prefix; /* "mask_" ..., "" for none: what comes before a name in a composite and as a flag */
    const char *help;
    const struct maskdm_option *option;
    int count;
};

/* A kind is a named list of tables: "mask" holds one, "pretrain" holds all that a run needs. In a kind with
 * one table names stand alone; in a composite they carry the table's prefix. */
struct maskdm_option_kind {
    const char *name, *help;
    const struct maskdm_option_table *const *table;
    int count;
};

/* One options handle. */
struct maskdm_options;
int maskdm_optionset_create(maskdm_options **out, const struct maskdm_option_kind *kind);
/* Values for one table, taken out of a composite (or of a handle of that table alone): what is unset stays at
 * the default. `kind` is the single-table kind. */
int maskdm_optionset_extract(maskdm_options **out, const maskdm_options *from, const struct maskdm_option_kind *kind);
const struct maskdm_option_kind *maskdm_optionset_kind(const maskdm_options *o);

/* Typed reading by name; names are ours, so a wrong one is a bug and reads as 0 / "". */
int64_t maskdm_optionset_int(const maskdm_options *o, const char *name);
double maskdm_optionset_float(const maskdm_options *o, const char *name);
int maskdm_optionset_bool(const maskdm_options *o, const char *name);
const char *maskdm_optionset_string(const maskdm_options *o, const char *name); /* STRING, CHOICE; "" when unset */
int maskdm_optionset_list(const maskdm_options *o, const char *name, double *out, int capacity); /* length */
int maskdm_optionset_is_set(const maskdm_options *o, const char *name); /* given by the caller */
/* Flat JSON object of every option that belongs to the selected kinds, resolved. */
void maskdm_optionset_write_json(const maskdm_options *o, struct maskdm_text *out);
/* Fill from such an object that stands at the parser's next event; unknown names are errors. */
int maskdm_optionset_read_json(maskdm_options *o, struct maskdm_json *j);
/* First option whose resolved value differs; its full name in *name and both values as text
 * (maskdm_free), or NULL when equal. `skip` is a NULL-terminated list of names not looked at. */
int maskdm_optionset_difference(const maskdm_options *a, const maskdm_options *b, const char *const *skip,
                                const char **name, char **value_a, char **value_b);

#endif
