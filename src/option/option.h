/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables: each configurable thing declares one. From the tables come the public options handle, the
 * program's flags, --help, the man page, the JSON in files and the reference documentation.
 *
 * A row is bound to a member of a struct, which mdm_options_read() fills: inside, options are read there. Text in one
 * canonical form ("0.0002" for "2e-4") is what the outside sees of a value, and is kept beside it.
 *
 * A table may have a selector: its first option, of type CHOICE, and other options then name in `when` the
 * choices to which they belong ("block", or "patch|block"). Setting an option whose `when` does not hold is an
 * error at maskdm_options_check().
 *
 * A selector may also stand for whole tables (`among`), of which it picks one by its name: in a kind their rows
 * follow those of the selector's table. Rows of one name in several of them are one option, given before the selector
 * or behind it: they differ in nothing but default and help. It is an error to set one that the picked table lacks.
 */
#ifndef MASKDM_OPTION_OPTION_H
#define MASKDM_OPTION_OPTION_H

#include <maskdm/options.h>

#include "base/handle.h"
#include "text/json.h"
#include "text/text.h"

#include <stddef.h>

/* Of a file of options; the number rises when what stands in one comes to mean something else. */
enum { MDM_OPTIONS_FORMAT = 1 };
#define MDM_OPTIONS_FORMAT_KEY "format"
/* Of which kind they are, for who reads the file; passed over. */
#define MDM_OPTIONS_KIND_KEY "kind"
/* Texts for people, in documents that they write. */
#define MDM_OPTIONS_NOTES "about", "measured", "open"

struct mdm_option {
    const char *name; /* snake_case, without the table's prefix */
    enum maskdm_option_type type;
    size_t at;            /* of the member that its value goes into */
    const char *standard; /* default, in the text form that the setter takes; NULL: unset until given. A kind may have
                             one of its own. */
    double min, max;      /* INT, FLOAT and each element of lists; INFINITY: no end; both 0: any */
    const char *choices;  /* CHOICE: "linear|cosine|shifted", in the order of the member's enum; or one of these, */
    const char *(*named)(int i); /* the i-th choice, from a list that is kept elsewhere, NULL past its end, */
    const struct mdm_option_table *(*among)(int i); /* the i-th of the tables whose names are the choices */
    int most;             /* lists: longest; 0: 8 */
    const char *word;     /* INT: text that says "find it out", such as "auto", and is read as -1; or NULL */
    const char *unit;     /* "pixels", "steps", "bytes" ..., or NULL */
    const char *when;     /* choices of the selector that this option belongs to, or NULL */
    const char *needs;    /* options beside which alone this one does something, any of them: "guidance|guide", which
                             are then not at their defaults, or "clip=true"; of its table or else of the kind */
    const char *help;     /* one line, no full stop */
    int required;         /* must be given, where its `when` holds; `standard` is then NULL */
    int may_change;       /* when a run is resumed: nothing that it computes depends on it */
    int training_only;    /* of a network: no parameter depends on it, so that fine-tuning may choose another value */
    int in_stage;         /* a stage of a run may choose it, as it may what is for training only; -1: it may not */
    const char *stage_tables; /* of the one row by which a kind may have stages: whose options these may choose */
    int is_path;          /* two paths of one file are equal, and one whose file is gone equals any */
    int by_content;       /* whether it is given is compared here, what is in it elsewhere */
    int when_known;       /* compared only where both are given */
    const char *alias;    /* what other programs call it, "learning_rate|train_lr", for whoever types that; or NULL */
};

/* The beginning of a row: it bears the name of the member of struct `of` that its value goes into, and has its type.
 * BOOL is an int, 0 or 1; a choice is the enum's (or an int) and begins with MDM_CHOICE(). */
#define MDM_OPTION(of, member) MDM_OPTION_AT(of, member, member)
#define MDM_OPTION_IN(of, part, member) MDM_OPTION_AT(of, member, part.member) /* of a struct within */
#define MDM_OPTION_AT(of, title, member)                                                               \
    .name = #title, .at = offsetof(struct of, member),                                                \
    .type = _Generic(((struct of *)0)->member, int: MASKDM_OPTION_BOOL, int64_t: MASKDM_OPTION_INT,   \
                     double: MASKDM_OPTION_FLOAT, const char *: MASKDM_OPTION_STRING,                 \
                     struct mdm_int_list: MASKDM_OPTION_INT_LIST,                                     \
                     struct mdm_float_list: MASKDM_OPTION_FLOAT_LIST)
#define MDM_CHOICE(of, member) MDM_CHOICE_AT(of, member, member)
#define MDM_CHOICE_IN(of, part, member) MDM_CHOICE_AT(of, member, part.member)
#define MDM_CHOICE_AT(of, title, member)                                                               \
    .name = #title, .at = offsetof(struct of, member),                                                \
    .type = _Generic(((struct of *)0)->member, int: MASKDM_OPTION_CHOICE, unsigned: MASKDM_OPTION_CHOICE)

/* Members of lists; they lie in the handle. */
struct mdm_int_list {
    int count; /* 0: unset */
    const int64_t *value;
};
struct mdm_float_list {
    int count;
    const double *value;
};

struct mdm_option_table {
    const char *name;   /* "uvit", "mask", "scheduler" ... */
    const char *prefix; /* "mask_" ..., "" for none: what comes before a name in a composite and as a flag */
    const char *help;
    const struct mdm_option *option;
    int count;
    size_t size; /* of the struct */
};

/* A kind is a named list of tables: "mask" holds one, "pretrain" holds all that a run needs. In a kind with
 * one table names stand alone; in a composite they carry the table's prefix, except that an option called "type"
 * has the prefix without its underscore for its name: mask, mask_ratio. */
struct mdm_option_kind {
    const char *name, *help;
    const struct mdm_option_table *const *table;
    int count;
    const struct mdm_option_default *standard; /* up to a NULL name, or NULL */
};

/* What a composite has for a default in place of a row's own; where any of `unless` ("process|network=sit", or NULL)
 * was given, that of the next entry of this name holds, or the row's. */
struct mdm_option_default {
    const char *name, *standard, *unless;
};

/* One options handle. The public functions of maskdm/options.h forward to these. */
int mdm_options_create(maskdm_options **out, const struct mdm_option_kind *kind);
void mdm_options_release(maskdm_options **o);
struct mdm_handle *mdm_options_handle(const maskdm_options *o); /* NULL for NULL */
int mdm_options_clone(maskdm_options **out, const maskdm_options *o);
/* What a create function does with its options: a checked copy of kind `kind`, which has one table, beside those
 * that its selector picks among. `from` may be NULL (all defaults), of that kind, or a composite that has a table of
 * the same name, picked if it is one of several; options that this table lacks stay at their defaults. MASKDM_EINVAL
 * for any other kind. */
int mdm_options_extract(maskdm_options **out, const maskdm_options *from, const struct mdm_option_kind *kind);
/* Fill the struct that belongs to `table` with the values of the rows that the handle has of it, the rest with 0.
 * What does not belong to the selected kinds is at its default, as in a handle that was checked. A STRING is never
 * NULL but "" when unset, a number 0. Strings and lists live until the option is set again. */
void mdm_options_read(const maskdm_options *o, const struct mdm_option_table *table, void *out);
const struct mdm_option_kind *mdm_options_kind(const maskdm_options *o);

/* How error lines name this option, by the handle's spelling; the name itself where the handle lacks it. */
const char *mdm_options_said(const maskdm_options *o, const char *name);
void mdm_options_spell(maskdm_options *o, enum maskdm_option_spelling spelling);

/* A failure of any of these leaves the handle as it was. */
int mdm_options_set(maskdm_options *o, const char *name, const char *value);
int mdm_options_set_number(maskdm_options *o, const char *name, const char *value); /* not STRING, CHOICE */
int mdm_options_set_int(maskdm_options *o, const char *name, int64_t value);
int mdm_options_parse(maskdm_options *o, const char *text);
/* A whole document, with comments: such an object, which may also have MDM_OPTIONS_NOTES, or a list of stages alone.
 */
int mdm_options_parse_json(maskdm_options *o, const char *json, size_t bytes);
int mdm_options_check(const maskdm_options *o);
/* MASKDM_EINVAL where an option of `table` (NULL: of any) was given, and is not at its default, that does nothing
 * without another. For when all is known: a model may say what a caller leaves open. */
int mdm_options_check_needs(const maskdm_options *o, const struct mdm_option_table *table);

/* ---- stages: what each part of a run says of itself, over what is said for the whole run ---- */

/* Put a stage behind the others, with what `text` gives it. MASKDM_EINVAL where the kind has no stages, and for
 * options that are of the whole run. */
int mdm_options_add_stage(maskdm_options *o, const char *text);
/* How many there are; 0 where the options as they are speak of the one stage. */
int mdm_options_stages(const maskdm_options *o);
/* The options of stage i, without stages of their own: of the whole run's, those that do not belong to what the stage
 * chose are left out. Where there are none, i is 0: a copy. */
int mdm_options_stage(maskdm_options **out, const maskdm_options *o, int i);
/* What it says of itself, "steps 100, mask none". */
void mdm_options_list_stage(const maskdm_options *o, int i, struct mdm_text *out);
/* Give an option of a part (a network, a scheduler), as far as a stage may choose it, the value that it has in
 * `stage`; *changed says whether one had another. */
int mdm_options_follow_stage(maskdm_options *part, const maskdm_options *stage, int *changed);

/* The canonical text, "" when unset; NULL: there is no such option. Lives until the option is set again. */
const char *mdm_options_text(const maskdm_options *o, const char *name);
int mdm_options_is_set(const maskdm_options *o, const char *name); /* given by the caller */
/* Whether it belongs to what the selectors stand at. */
int mdm_options_belongs(const maskdm_options *o, const char *name);
/* Flat JSON object of every option that belongs to the selected kinds, resolved. */
void mdm_options_write_json(const maskdm_options *o, struct mdm_text *out);
/* The same of those that were given alone. */
void mdm_options_write_json_given(const maskdm_options *o, struct mdm_text *out);
/* The same as the first without `except`, those that may change when a job goes on, and paths of files that are known
 * by what is in them: what its results depend on. */
void mdm_options_write_json_lasting(const maskdm_options *o, const char *except, struct mdm_text *out);
/* Fill from such an object that stands at the parser's next event; unknown names, and one that stands twice, are
 * errors, null goes back to the default. A member "stages" is a list of such objects, where the kind has stages. */
/* A member MDM_OPTIONS_FORMAT_KEY must be MDM_OPTIONS_FORMAT, where the kind has no option of that name. */
int mdm_options_read_json(maskdm_options *o, struct mdm_json *j);
/* First option that belongs to the selected kinds and whose resolved value differs, as far as its facts let it; its
 * full name in *name (lives with `old`) and both values as text (mdm_free), or NULL when equal. Both handles are of
 * one kind. */
int mdm_options_difference(const maskdm_options *old, const maskdm_options *now, const char **name, char **value_old,
                           char **value_now);

/* Complete options by those of a part (a network's, a scheduler's): what belongs there and was not set here becomes
 * what it is there. *name is the first that was set here to something else, or NULL; what is for training only may
 * be. */
int mdm_options_follow(maskdm_options *o, const maskdm_options *part, const char **name);

/* Set what was given in `part` and was not given here, as far as it belongs here and does something. */
int mdm_options_complete(maskdm_options *o, const maskdm_options *part);

/* Set in `base` what was set in `over`, of the same kind, whose spelling it then has. MASKDM_EINVAL for stages in
 * `over`. */
int mdm_options_lay_over(maskdm_options *base, const maskdm_options *over);
/* Let `o` have the values of another of its kind, such as a copy in which all that was to change has changed, unless
 * `status` tells of a failure. The other is released, `status` returned. */
int mdm_options_replace(maskdm_options *o, maskdm_options **other, int status);
/* The name of the i-th option that was set, NULL past the last. */
const char *mdm_options_given(const maskdm_options *o, int i);

/* ---- what a kind holds ---- */

struct mdm_option_place {
    const struct mdm_option_kind *kind;
    const struct mdm_option *option;        /* of rows that share a name, the first */
    const struct mdm_option_table *table;   /* that it stands in */
    const struct mdm_option_table *chooser; /* whose first option picks that table among others; NULL: none does */
};

/* Option i of a kind: 1, or 0 past the last. */
int mdm_option_at(struct mdm_option_place *out, const struct mdm_option_kind *kind, int64_t i);
/* All of them, as far as there is room; returns how many there are. */
int64_t mdm_option_places(struct mdm_option_place *out, int64_t room, const struct mdm_option_kind *kind);
/* Facts about it, as maskdm_options_describe(); MASKDM_ENOTFOUND for a wrong index or fact. */
int mdm_options_describe(const struct mdm_option_kind *kind, int64_t i, const char *fact, struct mdm_text *out);

#endif
