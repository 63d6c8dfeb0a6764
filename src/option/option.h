/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables: each configurable thing declares one. From the tables come the public options handle, the
 * program's flags, --help, the man page, the JSON in files and the reference documentation.
 *
 * Values are kept as text in one canonical form ("0.0002" for "2e-4"), so that setting, comparing and writing
 * need no case per type; typed readers convert.
 *
 * A table may have a selector: its first option, of type CHOICE, and other options then name in `when` the
 * choices to which they belong ("block", or "patch|block"). Setting an option whose `when` does not hold is an
 * error at maskdm_options_check().
 */
#ifndef MASKDM_OPTION_OPTION_H
#define MASKDM_OPTION_OPTION_H

#include <maskdm/options.h>

#include "base/handle.h"
#include "text/json.h"
#include "text/text.h"

struct mdm_option {
    const char *name; /* snake_case, without the table's prefix */
    enum maskdm_option_type type;
    const char *standard; /* default, in the text form that the setter takes; NULL: unset until given */
    double min, max;      /* INT, FLOAT and each element of lists; INFINITY: no end; both 0: any */
    const char *choices;  /* CHOICE: "linear|cosine|shifted" */
    int most;             /* lists: longest; 0: 8 */
    const char *unit;     /* "pixels", "steps", "bytes" ..., or NULL */
    const char *when;     /* choices of the selector that this option belongs to, or NULL */
    const char *help;     /* one line, no full stop */
    int required;         /* must be given, where its `when` holds; `standard` is then NULL */
    int may_change;       /* when a run is resumed: nothing that it computes depends on it */
    const char *alias;    /* what other programs call it, "learning_rate|train_lr", for whoever types that; or NULL */
};

struct mdm_option_table {
    const char *name;   /* "uvit", "mask", "scheduler" ... */
    const char *prefix; /* "mask_" ..., "" for none: what comes before a name in a composite and as a flag */
    const char *help;
    const struct mdm_option *option;
    int count;
};

/* A kind is a named list of tables: "mask" holds one, "pretrain" holds all that a run needs. In a kind with
 * one table names stand alone; in a composite they carry the table's prefix, except that an option called "type"
 * has the prefix without its underscore for its name: mask, mask_ratio. */
struct mdm_option_kind {
    const char *name, *help;
    const struct mdm_option_table *const *table;
    int count;
};

/* One options handle. The public functions of maskdm/options.h forward to these. */
int mdm_options_create(maskdm_options **out, const struct mdm_option_kind *kind);
void mdm_options_release(maskdm_options **o);
struct mdm_handle *mdm_options_handle(const maskdm_options *o); /* NULL for NULL */
int mdm_options_clone(maskdm_options **out, const maskdm_options *o);
/* What a create function does with its options: a checked copy of kind `kind`, which has one table. `from` may be
 * NULL (all defaults), of that kind, or a composite that has a table of the same name; options that this table
 * lacks stay at their defaults. MASKDM_EINVAL for any other kind. */
int mdm_options_extract(maskdm_options **out, const maskdm_options *from, const struct mdm_option_kind *kind);
const struct mdm_option_kind *mdm_options_kind(const maskdm_options *o);

/* How error lines name this option, by the handle's spelling; the name itself where the handle lacks it. */
const char *mdm_options_said(const maskdm_options *o, const char *name);
void mdm_options_spell(maskdm_options *o, enum maskdm_option_spelling spelling);

/* A failure of any of these leaves the handle as it was. */
int mdm_options_set(maskdm_options *o, const char *name, const char *value);
int mdm_options_set_number(maskdm_options *o, const char *name, const char *value); /* not STRING, CHOICE */
int mdm_options_parse(maskdm_options *o, const char *text);
int mdm_options_parse_json(maskdm_options *o, const char *json, size_t bytes); /* a whole document */
int mdm_options_check(const maskdm_options *o);

/* Typed reading by name; names are ours, so a wrong one is a bug and reads as 0 / "". */
int64_t mdm_options_int(const maskdm_options *o, const char *name);
double mdm_options_float(const maskdm_options *o, const char *name);
int mdm_options_bool(const maskdm_options *o, const char *name);
/* STRING and CHOICE as they are, others as text; "" when unset. Lives until the option is set again. */
const char *mdm_options_string(const maskdm_options *o, const char *name);
int mdm_options_has(const maskdm_options *o, const char *name); /* is there such an option? */
int mdm_options_list(const maskdm_options *o, const char *name, double *out, int capacity); /* length */
int mdm_options_is_set(const maskdm_options *o, const char *name);                          /* given by the caller */
/* Flat JSON object of every option that belongs to the selected kinds, resolved. */
void mdm_options_write_json(const maskdm_options *o, struct mdm_text *out);
/* Fill from such an object that stands at the parser's next event; unknown names are errors, null goes back to
 * the default. */
int mdm_options_read_json(maskdm_options *o, struct mdm_json *j);
/* First option that belongs to the selected kinds and whose resolved value differs; its full name in *name
 * (lives with `a`) and both values as text (mdm_free), or NULL when equal. Options that may change are not looked
 * at, nor those in `skip`, a NULL-terminated list of names, or NULL. Both handles are of one kind. */
int mdm_options_difference(const maskdm_options *a, const maskdm_options *b, const char *const *skip,
                           const char **name, char **value_a, char **value_b);

/* Facts about option i of a kind, as maskdm_options_describe(); MASKDM_ENOTFOUND for a wrong index or fact. */
int mdm_options_describe(const struct mdm_option_kind *kind, int64_t i, const char *fact, struct mdm_text *out);
/* Option i of a kind and the table that it stands in, or NULL. */
const struct mdm_option *mdm_option_at(const struct mdm_option_kind *kind, int64_t i,
                                       const struct mdm_option_table **table);

#endif
