/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fields lie between commas, where the first line has one, or else between blanks. A first line of one number is how
 * many rows there are; a first line without a label, or the one behind that number, has the attributes' names. An
 * attribute is 1 or -1, which is label 0.
 */
#include "data/label_file.h"

#include "base/alloc.h"
#include "base/error.h"
#include "text/text.h"

#include <string.h>

enum { SHOWN = 8 }; /* names of attributes in an error's line */

struct field {
    const char *at;
    size_t n;
};

struct table {
    const char *text, *end; /* what is not read yet */
    int commas;
    int64_t line;
    int64_t announced;  /* rows; -1: nothing said so */
    int64_t names;      /* of attributes, the one of the images' names among them where it has a name; 0: none */
    const char *header; /* the line that has them */
    size_t header_bytes;
    int64_t fields; /* of a row, 0: no row yet */
    int64_t column; /* of the label */
};

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next line that is not empty; 0: there is none. */
static int next_line(struct table *t, struct field *out)
{
    while (t->text < t->end) {
        const char *newline = memchr(t->text, '\n', (size_t)(t->end - t->text));
        const char *at = t->text, *stop = newline ? newline : t->end;

        t->text = newline ? newline + 1 : t->end;
        t->line++;
        while (stop > at && is_blank(stop[-1]))
            stop--;
        if (stop > at) {
            *out = (struct field){at, (size_t)(stop - at)};
            return 1;
        }
    }
    return 0;
}

/* The next field of a line, which is shortened by it; 0: there is none. */
static int next_field(const struct table *t, struct field *line, struct field *out)
{
    size_t skip = 0, n;

    if (!line->at)
        return 0;
    while (skip < line->n && is_blank(line->at[skip]))
        skip++;
    line->at += skip;
    line->n -= skip;
    if (!line->n && !t->commas)
        return 0;
    for (n = 0; n < line->n && (t->commas ? line->at[n] != ',' : !is_blank(line->at[n]));)
        n++;
    *out = (struct field){line->at, n};
    while (out->n && is_blank(out->at[out->n - 1]))
        out->n--;
    if (n == line->n)
        *line = (struct field){NULL, 0};
    else
        *line = (struct field){line->at + n + 1, line->n - n - 1};
    return 1;
}

static int64_t count_fields(const struct table *t, struct field line)
{
    struct field f;
    int64_t n = 0;

    while (next_field(t, &line, &f))
        n++;
    return n;
}

static struct field field_at(const struct table *t, struct field line, int64_t i)
{
    struct field f = {NULL, 0};

    for (; i >= 0 && next_field(t, &line, &f); i--)
        ;
    return f;
}

/* A label, or an attribute's 1 or -1; -1: neither. */
static int32_t label_of(struct field f)
{
    return f.n == 2 && !memcmp(f.at, "-1", 2) ? 0 : f.n ? mdm_label_parse(f.at, f.n) : -1;
}

/* A number of rows; -1: it is none. */
static int64_t number_of(struct field f)
{
    int64_t x = 0;

    for (size_t i = 0; i < f.n; i++) {
        if (f.at[i] < '0' || f.at[i] > '9' || x > INT32_MAX)
            return -1;
        x = 10 * x + (f.at[i] - '0');
    }
    return f.n ? x : -1;
}

static int same(struct field f, const char *name)
{
    return f.n == strlen(name) && !memcmp(f.at, name, f.n);
}

/* What stands above the rows. */
static void read_head(struct table *t)
{
    struct field line;

    if (!next_line(t, &line))
        return;
    t->commas = memchr(line.at, ',', line.n) != NULL;
    if (count_fields(t, line) == 1) {
        t->announced = number_of(field_at(t, line, 0));
        if (t->announced >= 0 && !next_line(t, &line))
            return;
        t->commas = memchr(line.at, ',', line.n) != NULL;
    }
    if (label_of(field_at(t, line, count_fields(t, line) - 1)) < 0) {
        t->names = count_fields(t, line);
        t->header = line.at;
        t->header_bytes = line.n;
        return;
    }
    t->text = line.at; /* a row already */
    t->line--;
}

static int refuse_attribute(const struct table *t, int64_t named, const char *attribute, const char *said)
{
    struct field rest = {t->header, t->header_bytes}, f;
    struct mdm_text list = {0};
    int status;

    for (int64_t i = 0; i < t->names && next_field(t, &rest, &f); i++)
        if (i >= t->names - named && i < t->names - named + SHOWN)
            mdm_text_addf(&list, "%s%.*s", list.length ? ", " : "", (int)(f.n < 40 ? f.n : 40), f.at);
    status = mdm_text_ok(&list);
    if (status >= 0)
        status = mdm_fail(MASKDM_EINVAL, "%s \"%.60s\" is none of its %lld attributes: %s%s", said, attribute,
                          (long long)named, list.data ? list.data : "", named > SHOWN ? ", ..." : "");
    mdm_text_free(&list);
    return status;
}

/* Which field of rows, of so many, is the label. */
static int find_column(struct table *t, int64_t fields, const char *attribute, const char *said)
{
    const struct field header = {t->header, t->header_bytes};
    const int64_t unnamed = t->names ? fields - t->names : fields; /* the names of images may have none */

    t->fields = fields;
    t->column = 1;
    if (fields < 2 || (t->names && unnamed != 0 && unnamed != 1))
        return mdm_fail(MASKDM_EFORMAT, "line %lld has %lld fields, where the names above it are %lld",
                        (long long)t->line, (long long)fields, (long long)t->names);
    if (!*attribute && fields == 2)
        return MASKDM_OK;
    if (!t->names)
        return *attribute ? mdm_fail(MASKDM_EINVAL, "%s: it has no line with the attributes' names", said)
                          : mdm_fail(MASKDM_EFORMAT, "line %lld has %lld fields, not a name and a label",
                                     (long long)t->line, (long long)fields);
    for (int64_t i = 1; i < fields; i++)
        if (same(field_at(t, header, i - unnamed), attribute)) {
            t->column = i;
            return MASKDM_OK;
        }
    return refuse_attribute(t, fields - 1, attribute, said);
}

static int read_row(const struct table *t, struct field line, struct mdm_label_list *out)
{
    struct field next, name = {NULL, 0}, f = {NULL, 0};
    int64_t fields = 0;
    int32_t label;

    for (; next_field(t, &line, &next); fields++) {
        if (!fields)
            name = next;
        if (fields == t->column)
            f = next;
    }
    if (fields != t->fields)
        return mdm_fail(MASKDM_EFORMAT, "line %lld has %lld fields, the rows above it %lld", (long long)t->line,
                        (long long)fields, (long long)t->fields);
    label = label_of(f);
    if (label < 0)
        return mdm_fail(MASKDM_EFORMAT, "line %lld: \"%.*s\" is no label: 0 to %d, or -1", (long long)t->line,
                        (int)(f.n < 60 ? f.n : 60), f.n ? f.at : "", MDM_LABEL_MOST);
    if (!name.n || memchr(name.at, '\0', name.n))
        return mdm_fail(MASKDM_EFORMAT, "line %lld names no image", (long long)t->line);
    return mdm_label_list_add(out, name.at, name.n, label);
}

int mdm_label_file_read(struct mdm_label_list *out, const char *text, size_t bytes, const char *attribute,
                        const char *said)
{
    struct table t = {.text = text, .end = text + bytes, .announced = -1};
    const int64_t before = out->count;
    struct field line;

    read_head(&t);
    while (next_line(&t, &line)) {
        if (!t.fields)
            MDM_TRY(find_column(&t, count_fields(&t, line), attribute, said));
        MDM_TRY(read_row(&t, line, out));
    }
    if (!t.fields)
        return mdm_fail(MASKDM_EFORMAT, "there is no line of a name and a label in it");
    if (t.announced >= 0 && t.announced != out->count - before)
        return mdm_fail(MASKDM_EFORMAT, "it says that it has %lld rows, and has %lld", (long long)t.announced,
                        (long long)(out->count - before));
    return MASKDM_OK;
}
