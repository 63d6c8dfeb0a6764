/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sources are found one after the other and stay as they are; the list of all refers to theirs.
 */
#include "data/mixture.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/labelled.h"
#include "data/left_out.h"
#include "data/source.h"
#include "text/json.h"

#include <string.h>

enum { WEIGHT_MOST = 1000, MOST = WEIGHT_MOST, BYTES_MOST = 1 << 20 };

struct mixture {
    int64_t count;
    struct mdm_scan part[MOST];
};

/* What is being read. */
struct making {
    struct mdm_scan *all;
    struct mixture *mixture;
    const char *path;
    const struct mdm_scan_except *except;
    const struct mdm_log *log;
    maskdm_control *control;
    /* Of the source at hand: paths of its images and of a file of labels, and which of that file's attributes. */
    char *data, *labels, *attribute;
    int64_t weight, weights; /* of the source at hand, of all so far */
};

int mdm_mixture_is(int *is, const char *path)
{
    enum mdm_file_kind kind = MDM_FILE_NONE;

    if (mdm_has_suffix(path, ".json"))
        MDM_TRY(mdm_file_kind_of(&kind, path));
    *is = kind == MDM_FILE_REGULAR;
    return MASKDM_OK;
}

/* ---- the list ---- */

/* The number of a label in the list of all. */
static int join_label(int32_t *number, struct mdm_scan *all, const char *name)
{
    for (*number = 0; *number < all->labels; ++*number)
        if (strcmp(all->label[*number], name) == 0)
            return MASKDM_OK;
    return mdm_scan_add_label(all, name, strlen(name));
}

static int join_file(struct making *m, int64_t k, int64_t i, const int32_t *label)
{
    const struct mdm_scan *part = &m->mixture->part[k];
    const struct mdm_scan_file *file = &part->file[i];
    char number[32];
    char *folder, *path;

    mdm_format(number, sizeof number, "%lld", (long long)k + 1);
    folder = mdm_path_join(m->path, number);
    path = folder ? mdm_path_join(folder, mdm_scan_name(part, i)) : NULL;
    mdm_free(folder);
    return path ? mdm_scan_add(m->all, path, file->bytes, file->label < 0 ? -1 : label[file->label],
                               (uint64_t)k << MDM_SCAN_PLACE | (uint64_t)i)
                : MASKDM_ENOMEM;
}

static int join(struct making *m, int64_t k)
{
    const struct mdm_scan *part = &m->mixture->part[k];
    int32_t *label = mdm_need((size_t)part->labels + 1, sizeof *label, "labels");
    int r = label ? MASKDM_OK : MASKDM_ENOMEM;

    for (int64_t i = 0; i < part->labels && r >= 0; i++)
        r = join_label(&label[i], m->all, part->label[i]);
    for (int64_t i = 0; i < part->count && r >= 0; i++)
        r = join_file(m, k, i, label);
    mdm_free(label);
    m->all->unreadable += part->unreadable;
    return r;
}

/* ---- the file ---- */

static int take_text(char **out, struct mdm_json *j)
{
    MDM_TRY(mdm_json_expect(j, MDM_JSON_STRING));
    mdm_json_bytes(j);
    mdm_free(*out);
    *out = mdm_strdup(j->text);
    return *out ? MASKDM_OK : mdm_fail_memory(j->length + 1, "a list of sources");
}

/* A path from the file's own folder. */
static int take_path(char **out, const struct making *m, struct mdm_json *j)
{
    char *path;

    MDM_TRY(take_text(out, j));
    if (**out == '/')
        return MASKDM_OK;
    path = mdm_path_beside(m->path, *out);
    mdm_free(*out);
    *out = path;
    return path ? MASKDM_OK : MASKDM_ENOMEM;
}

static void forget_texts(struct making *m)
{
    mdm_free(m->data);
    mdm_free(m->labels);
    mdm_free(m->attribute);
    m->data = m->labels = m->attribute = NULL;
}

static int take_weight(struct making *m, struct mdm_json *j)
{
    const int event = mdm_json_next(j);

    MDM_TRY(event);
    if (event != MDM_JSON_NUMBER || mdm_json_u63(j, &m->weight) < 0 || m->weight < 1 || m->weight > WEIGHT_MOST)
        return mdm_fail(MASKDM_EFORMAT, "source %lld: \"weight\" is %.40s, and is a whole number of 1 to %d",
                        (long long)m->mixture->count + 1, event == MDM_JSON_NUMBER ? j->text : "no number",
                        WEIGHT_MOST);
    return MASKDM_OK;
}

/* The labels of a file of its own, before those of all sources become one list. */
static int label_source(struct making *m, int64_t k)
{
    const struct mdm_labelled by = {m->labels, m->attribute ? m->attribute : "", "\"attribute\""};

    if (m->labels)
        return mdm_labelled_give(&m->mixture->part[k], m->data, &by, m->log);
    return m->attribute ? mdm_fail(MASKDM_EFORMAT, "source %lld has \"attribute\", which goes with \"labels\"",
                                   (long long)k + 1)
                        : MASKDM_OK;
}

static int add_source(struct making *m)
{
    const int64_t k = m->mixture->count;

    if (!m->data || !*m->data)
        return mdm_fail(MASKDM_EFORMAT, "source %lld has no \"data\"", (long long)k + 1);
    m->weights += m->weight;
    if (m->weights > WEIGHT_MOST) /* which no more sources than that have */
        return mdm_fail(MASKDM_EFORMAT, "the weights of %lld sources add up to %lld, and to %d at most",
                        (long long)k + 1, (long long)m->weights, WEIGHT_MOST);
    MDM_TRY(mdm_source_find(&m->mixture->part[k], m->data, m->except, m->log, m->control));
    mdm_endings_join(&m->all->ignored, &m->mixture->part[k].ignored);
    m->mixture->count++;
    m->all->weight[m->all->parts++] = m->weight;
    mdm_log_line(m->log, MASKDM_LOG_INFO, "source %lld: %lld image%s in %s, weight %lld", (long long)k + 1,
                 (long long)m->mixture->part[k].count, m->mixture->part[k].count == 1 ? "" : "s", m->data,
                 (long long)m->weight);
    MDM_TRY(label_source(m, k));
    return join(m, k);
}

/* {"data": ..., "weight": ..., "labels": ..., "attribute": ...}, of which the brace is read. */
static int take_source(struct making *m, struct mdm_json *j)
{
    int event;

    forget_texts(m);
    m->weight = 1;
    while ((event = mdm_json_next(j)) == MDM_JSON_KEY) {
        if (strcmp(j->text, "data") == 0)
            MDM_TRY(take_path(&m->data, m, j));
        else if (strcmp(j->text, "labels") == 0)
            MDM_TRY(take_path(&m->labels, m, j));
        else if (strcmp(j->text, "attribute") == 0)
            MDM_TRY(take_text(&m->attribute, j));
        else if (strcmp(j->text, "weight") == 0)
            MDM_TRY(take_weight(m, j));
        else
            return mdm_fail(MASKDM_EFORMAT,
                            "source %lld has \"%.60s\", and knows \"data\", \"weight\", \"labels\" and \"attribute\"",
                            (long long)m->mixture->count + 1, j->text);
    }
    return event < 0 ? event : add_source(m);
}

static int take_sources(struct making *m, struct mdm_json *j)
{
    static const char form[] = "it is no list of sources, {\"sources\": [{\"data\": PATH, \"weight\": NUMBER}, ...]}";
    int event = mdm_json_next(j);

    if (event == MDM_JSON_OBJECT)
        event = mdm_json_next(j);
    if (event != MDM_JSON_KEY || strcmp(j->text, "sources") != 0 || (event = mdm_json_next(j)) != MDM_JSON_ARRAY)
        return event < 0 ? event : mdm_fail(MASKDM_EFORMAT, "%s", form);
    while ((event = mdm_json_next(j)) == MDM_JSON_OBJECT)
        MDM_TRY(take_source(m, j));
    if (event != MDM_JSON_ARRAY_END || (event = mdm_json_next(j)) != MDM_JSON_OBJECT_END || !m->mixture->count)
        return event < 0 ? event : mdm_fail(MASKDM_EFORMAT, "%s", form);
    return mdm_json_expect(j, MDM_JSON_END);
}

static int read_file(struct making *m)
{
    struct mdm_json j;
    char *text;
    size_t bytes;
    int r;

    MDM_TRY(mdm_file_read_all(&text, &bytes, m->path, BYTES_MOST));
    mdm_json_open(&j, text, bytes);
    j.comments = 1;
    r = take_sources(m, &j);
    mdm_json_close(&j);
    mdm_free(text);
    return r < 0 ? mdm_fail_prefix(r, "%s", m->path) : r;
}

/* ---- the class ---- */

static const struct mdm_scan *member(const struct mdm_scan *s, int64_t *i)
{
    const uint64_t place = s->file[*i].place;

    *i = (int64_t)(place & (((uint64_t)1 << MDM_SCAN_PLACE) - 1));
    return &((const struct mixture *)s->source)->part[place >> MDM_SCAN_PLACE];
}

static int read_bytes(const struct mdm_scan *s, int64_t i, void *out, size_t n, uint64_t at)
{
    const struct mdm_scan *part = member(s, &i);

    return part->kind->bytes(part, i, out, n, at);
}

static void finish(void *source)
{
    struct mixture *m = source;

    for (int64_t k = 0; k < m->count; k++)
        mdm_scan_free(&m->part[k]);
    mdm_free(m);
}

static const struct mdm_source_class kind = {.bytes = read_bytes, .member = member, .close = finish};

int mdm_mixture_find(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except,
                     const struct mdm_log *log, maskdm_control *control)
{
    struct making m = {.all = s, .path = path, .except = except, .log = log, .control = control};
    int r;

    *s = (struct mdm_scan){.kind = &kind, .root = strlen(path) + 1};
    s->source = m.mixture = mdm_need(1, sizeof *m.mixture, "the sources of a data set");
    s->weight = m.mixture ? mdm_need(MOST, sizeof *s->weight, "the sources of a data set") : NULL;
    r = s->weight ? read_file(&m) : MASKDM_ENOMEM;
    forget_texts(&m);
    if (r < 0) {
        mdm_scan_free(s);
        return r;
    }
    mdm_scan_settle(s);
    return MASKDM_OK;
}
