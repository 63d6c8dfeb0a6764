/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The part of YAML that yaml.h describes, out of libyaml's events, which come one by one: nothing is built that a
 * document could make large.
 */
#include "text/yaml.h"

#include "base/alloc.h"
#include "text/text.h"

#include <string.h>
#include <yaml.h>

struct anchor {
    char *name, *text;
};

struct reading {
    yaml_parser_t parser;
    yaml_event_t event; /* held while `held` */
    int held;
    char path[MDM_YAML_PATH];
    int depth;
    struct anchor anchor[MDM_YAML_ANCHORS];
    int anchors;
    int (*visit)(void *user, const struct mdm_yaml_value *value);
    void *user;
};

static long line_of(const struct reading *r)
{
    return (long)r->event.start_mark.line + 1;
}

static int refuse(const struct reading *r, const char *what)
{
    return mdm_fail(MASKDM_EFORMAT, "line %ld: %s", line_of(r), what);
}

static void drop(struct reading *r)
{
    if (r->held)
        yaml_event_delete(&r->event);
    r->held = 0;
}

/* The next event. */
static int next(struct reading *r)
{
    const yaml_parser_t *p = &r->parser;

    drop(r);
    if (yaml_parser_parse(&r->parser, &r->event)) {
        r->held = 1;
        return MASKDM_OK;
    }
    if (p->error == YAML_MEMORY_ERROR)
        return mdm_fail(MASKDM_ENOMEM, "cannot allocate what libyaml needs");
    return mdm_fail(MASKDM_EFORMAT, "line %ld: no YAML: %s",
                    (long)(p->error == YAML_READER_ERROR ? p->mark.line : p->problem_mark.line) + 1,
                    p->problem ? p->problem : "it cannot be read");
}

/* ---- scalars ---- */

/* What YAML takes for null or a truth value, as PyYAML has it. */
static const char *word_of(const char *text)
{
    static const struct {
        const char *word, *means;
    } words[] = {{"", ""},          {"~", ""},          {"null", ""},     {"Null", ""},      {"NULL", ""},
                 {"true", "true"},  {"True", "true"},   {"TRUE", "true"}, {"yes", "true"},   {"Yes", "true"},
                 {"YES", "true"},   {"on", "true"},     {"On", "true"},   {"ON", "true"},    {"false", "false"},
                 {"False", "false"}, {"FALSE", "false"}, {"no", "false"},  {"No", "false"},   {"NO", "false"},
                 {"off", "false"},  {"Off", "false"},   {"OFF", "false"}};

    for (size_t i = 0; i < MDM_LENGTH(words); i++)
        if (!strcmp(words[i].word, text))
            return words[i].means;
    return text;
}

/* An anchor's later scalar takes the place of an earlier one. */
static int note_anchor(struct reading *r, const char *name, const char *text)
{
    struct anchor *a = r->anchor;
    char *copy = mdm_strdup(text);

    while (a < r->anchor + r->anchors && strcmp(a->name, name) != 0)
        a++;
    if (copy && a == r->anchor + r->anchors && r->anchors < MDM_YAML_ANCHORS && (a->name = mdm_strdup(name)))
        r->anchors++;
    if (copy && a < r->anchor + r->anchors) {
        mdm_free(a->text);
        a->text = copy;
        return MASKDM_OK;
    }
    if (copy && r->anchors == MDM_YAML_ANCHORS) {
        mdm_free(copy);
        return refuse(r, "more anchors than are read");
    }
    mdm_free(copy);
    return mdm_fail_memory(strlen(text) + 1, "an anchor");
}

/* The text that the event's scalar or alias stands for; lives until the next event. */
static int read_scalar(struct reading *r, const char **text, int *anchored)
{
    const yaml_event_t *e = &r->event;
    const int plain = e->type == YAML_SCALAR_EVENT && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    *anchored = 0;
    if (e->type == YAML_ALIAS_EVENT) {
        for (int i = 0; i < r->anchors; i++)
            if (!strcmp(r->anchor[i].name, (const char *)e->data.alias.anchor)) {
                *text = r->anchor[i].text;
                return MASKDM_OK;
            }
        return refuse(r, "an alias whose anchor does not stand before it");
    }
    if (e->data.scalar.tag)
        return refuse(r, "tags are not read");
    *text = (const char *)e->data.scalar.value;
    if (strlen(*text) != e->data.scalar.length)
        return refuse(r, "a scalar contains NUL");
    if (plain)
        *text = word_of(*text);
    if (!e->data.scalar.anchor)
        return MASKDM_OK;
    *anchored = 1;
    return note_anchor(r, (const char *)e->data.scalar.anchor, *text);
}

static int is_scalar(const struct reading *r)
{
    return r->event.type == YAML_SCALAR_EVENT || r->event.type == YAML_ALIAS_EVENT;
}

static int tell(struct reading *r, const char *text, long line, int is_list, int anchored)
{
    const struct mdm_yaml_value value = {r->path, text, line, is_list, anchored};

    return r->visit(r->user, &value);
}

/* ---- lists and maps ---- */

/* Behind its beginning. */
static int read_list(struct reading *r)
{
    const long line = line_of(r);
    struct mdm_text list = {0};
    const char *text;
    int count = 0, anchored, status = MASKDM_OK;

    if (r->event.data.sequence_start.anchor || r->event.data.sequence_start.tag)
        return refuse(r, "a list has no anchor or tag here");
    mdm_text_add(&list, "");
    while (status >= 0 && (status = next(r)) >= 0 && r->event.type != YAML_SEQUENCE_END_EVENT) {
        status = is_scalar(r) ? read_scalar(r, &text, &anchored) : refuse(r, "a list holds scalars alone here");
        if (status >= 0 && (count++ == MDM_YAML_LIST || strchr(text, ',')))
            status = refuse(r, "a list of more, or of other scalars, than are read");
        if (status >= 0)
            mdm_text_addf(&list, "%s%s", count > 1 ? "," : "", text);
    }
    if (status >= 0)
        status = mdm_text_ok(&list);
    if (status >= 0)
        status = tell(r, list.data, line, 1, 0);
    mdm_text_free(&list);
    return status;
}

/* A key behind those that lead to it. */
static int enter(struct reading *r)
{
    const yaml_event_t *e = &r->event;
    const char *key = e->type == YAML_SCALAR_EVENT ? (const char *)e->data.scalar.value : "";
    const size_t before = strlen(r->path), n = strlen(key);

    if (!n || n != e->data.scalar.length || e->data.scalar.anchor || e->data.scalar.tag || strchr(key, '.'))
        return refuse(r, "a key is no word");
    if (before + n + 2 > sizeof r->path)
        return refuse(r, "a key is longer than is read");
    mdm_format(r->path + before, sizeof r->path - before, "%s%s", before ? "." : "", key);
    return MASKDM_OK;
}

/* Behind its beginning. A map within it is another round, so that depth costs no stack. */
static int read_maps(struct reading *r)
{
    size_t above[MDM_YAML_DEPTH] = {0}; /* length of the path at each map's beginning */
    const char *text;
    int anchored, status = MASKDM_OK;

    for (r->depth = 1; status >= 0 && r->depth > 0 && (status = next(r)) >= 0;) {
        if (r->event.type == YAML_MAPPING_END_EVENT) {
            if (--r->depth > 0)
                r->path[above[r->depth - 1]] = '\0';
            continue;
        }
        above[r->depth - 1] = strlen(r->path);
        status = enter(r);
        if (status >= 0)
            status = next(r);
        if (status < 0)
            break;
        if (r->event.type == YAML_MAPPING_START_EVENT) {
            if (r->event.data.mapping_start.anchor || r->event.data.mapping_start.tag)
                status = refuse(r, "a map has no anchor or tag here");
            else if (r->depth++ == MDM_YAML_DEPTH)
                status = refuse(r, "maps lie in one another deeper than is read");
            continue;
        }
        if (r->event.type == YAML_SEQUENCE_START_EVENT)
            status = read_list(r);
        else if ((status = read_scalar(r, &text, &anchored)) >= 0)
            status = tell(r, text, line_of(r), 0, anchored);
        r->path[above[r->depth - 1]] = '\0';
    }
    return status;
}

static int expect(struct reading *r, yaml_event_type_t type, const char *otherwise)
{
    MDM_TRY(next(r));
    return r->event.type == type ? MASKDM_OK : refuse(r, otherwise);
}

static int read_document(struct reading *r)
{
    MDM_TRY(expect(r, YAML_STREAM_START_EVENT, "no YAML"));
    MDM_TRY(expect(r, YAML_DOCUMENT_START_EVENT, "there is nothing in it"));
    MDM_TRY(expect(r, YAML_MAPPING_START_EVENT, "this is no map"));
    if (r->event.data.mapping_start.anchor || r->event.data.mapping_start.tag)
        return refuse(r, "a map has no anchor or tag here");
    MDM_TRY(read_maps(r));
    MDM_TRY(expect(r, YAML_DOCUMENT_END_EVENT, "no YAML"));
    return expect(r, YAML_STREAM_END_EVENT, "a second document");
}

int mdm_yaml_read(const char *bytes, size_t n, int (*visit)(void *user, const struct mdm_yaml_value *value),
                  void *user)
{
    struct reading *r;
    int status;

    if (n > MDM_YAML_BYTES)
        return mdm_fail(MASKDM_EFORMAT, "%zu bytes of YAML; %d are read at most", n, (int)MDM_YAML_BYTES);
    r = mdm_need(1, sizeof *r, "a reader of YAML");
    if (!r)
        return MASKDM_ENOMEM;
    r->visit = visit;
    r->user = user;
    if (yaml_parser_initialize(&r->parser)) {
        yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r->parser, (const unsigned char *)bytes, n);
        status = read_document(r);
        drop(r);
        yaml_parser_delete(&r->parser);
    } else {
        status = mdm_fail(MASKDM_ENOMEM, "cannot allocate what libyaml needs");
    }
    for (int i = 0; i < r->anchors; i++) {
        mdm_free(r->anchor[i].name);
        mdm_free(r->anchor[i].text);
    }
    mdm_free(r);
    return status;
}
