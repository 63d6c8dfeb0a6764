/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A folder's options.json; see record.h.
 */
#include "run/record.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/file.h"
#include "text/json.h"
#include "text/number.h"
#include "text/text.h"

#include <string.h>

enum { RECORD_LIMIT = 1 << 20 }; /* bytes */

static int read_file(maskdm_options **out, const struct mdm_option_kind *kind, const char *path)
{
    struct mdm_json j;
    size_t bytes;
    char *text;
    int status;

    MDM_TRY(mdm_file_read_all(&text, &bytes, path, RECORD_LIMIT));
    status = mdm_options_create(out, kind);
    mdm_json_open(&j, text, bytes);
    if (status == MASKDM_OK)
        status = mdm_options_read_json(*out, &j);
    if (status == MASKDM_OK)
        status = mdm_json_expect(&j, MDM_JSON_END);
    mdm_json_close(&j);
    mdm_free(text);
    if (status < 0) {
        mdm_options_release(out);
        return mdm_fail_prefix(status, "%s", path);
    }
    return MASKDM_OK;
}

int mdm_record_read(maskdm_options **out, const char *folder, const struct mdm_option_kind *kind)
{
    char *path = mdm_path_join(folder, MDM_RECORD_NAME);
    enum mdm_file_kind there;
    int status;

    *out = NULL;
    if (!path)
        return MASKDM_ENOMEM;
    status = mdm_file_kind_of(&there, path);
    if (status == MASKDM_OK && there != MDM_FILE_NONE)
        status = read_file(out, kind, path);
    mdm_free(path);
    return status;
}

/* The text of the member, as far as it fits. */
static int find_kind(char out[MDM_RECORD_KIND], struct mdm_json *j)
{
    int event = mdm_json_expect(j, MDM_JSON_OBJECT);

    while (event >= 0 && (event = mdm_json_next(j)) == MDM_JSON_KEY) {
        const int found = !strcmp(j->text, MDM_OPTIONS_KIND_KEY);

        event = mdm_json_next(j);
        if (event == MDM_JSON_STRING && found)
            mdm_format(out, MDM_RECORD_KIND, "%s", j->text);
        if (event >= 0)
            event = mdm_json_skip(j, event);
    }
    return event < 0 ? event : MASKDM_OK;
}

int mdm_record_kind(char out[MDM_RECORD_KIND], const char *folder)
{
    char *path = mdm_path_join(folder, MDM_RECORD_NAME), *text;
    struct mdm_json j;
    size_t bytes;
    int status = path ? mdm_file_read_all(&text, &bytes, path, RECORD_LIMIT) : MASKDM_ENOMEM;

    *out = '\0';
    if (status == MASKDM_OK) {
        mdm_json_open(&j, text, bytes);
        status = find_kind(out, &j);
        mdm_json_close(&j);
        mdm_free(text);
        if (status < 0)
            status = mdm_fail_prefix(status, "%s", path);
    }
    mdm_free(path);
    return status;
}

static int settle_place(maskdm_options *o, const maskdm_options *given, const char *folder)
{
    const char *out = mdm_options_text(given, "out");

    if (mdm_options_is_set(given, "out") && strcmp(out, folder) != 0)
        return mdm_fail(MASKDM_EINVAL, "%s %s, but %s %s: a job goes on in its own folder",
                        mdm_options_said(given, "resume"), folder, mdm_options_said(given, "out"), out);
    MDM_TRY(mdm_options_set(o, "out", folder));
    return mdm_options_set(o, "resume", "true");
}

int mdm_record_load(maskdm_options *o, const char *folder)
{
    const struct mdm_option_kind *kind = mdm_options_kind(o);
    char theirs[MDM_RECORD_KIND];
    maskdm_options *record;
    int status;

    if (!mdm_options_text(o, "resume") || !mdm_options_text(o, "out"))
        return mdm_fail(MASKDM_EINVAL, "a job of kind %s leaves no folder in which it could go on", kind->name);
    MDM_TRY(mdm_record_kind(theirs, folder));
    if (*theirs && strcmp(theirs, kind->name) != 0)
        return mdm_fail(MASKDM_EINVAL, "%s is of a job \"%s\", which goes on as such and not as \"%s\"", folder,
                        theirs, kind->name);
    if (mdm_options_stages(o))
        return mdm_fail(MASKDM_EINVAL,
                        "%s goes on with the stages that it was begun with; more of them are given beside "
                        "all other options, and not by the folder alone",
                        folder);
    MDM_TRY(mdm_record_read(&record, folder, kind));
    status = mdm_options_lay_over(record, o);
    if (status == MASKDM_OK)
        status = settle_place(record, o, folder);
    return mdm_options_replace(o, &record, status);
}

int64_t mdm_checkpoint_step(const char *name)
{
    static const char head[] = "checkpoint-", tail[] = ".safetensors";
    size_t n = strlen(name), h = sizeof head - 1, t = sizeof tail - 1;
    char digits[32];
    int64_t step;

    if (n <= h + t || n - h - t >= sizeof digits || strncmp(name, head, h) != 0 || strcmp(name + n - t, tail) != 0)
        return -1;
    memcpy(digits, name + h, n - h - t);
    digits[n - h - t] = '\0';
    return strspn(digits, "0123456789") == n - h - t && mdm_parse_i64(digits, &step) == 0 ? step : -1;
}

int mdm_checkpoint_add(struct mdm_checkpoints *list, int64_t step)
{
    if (list->count == list->capacity) {
        const int64_t capacity = list->capacity ? 2 * list->capacity : 16;
        int64_t *larger = mdm_realloc(list->step, (size_t)capacity * sizeof *larger);

        if (!larger)
            return mdm_fail_memory((size_t)capacity * sizeof *larger, "a list of checkpoints");
        list->step = larger;
        list->capacity = capacity;
    }
    list->step[list->count++] = step;
    return MASKDM_OK;
}

int mdm_record_compare(const char *folder, const maskdm_options *old, const maskdm_options *now)
{
    char *theirs = NULL, *ours = NULL;
    const char *name = NULL;
    int status = mdm_options_difference(old, now, &name, &theirs, &ours);

    if (status == MASKDM_OK && name)
        status = mdm_fail(MASKDM_EINVAL, "%s was started with %s %s and cannot be resumed with %s", folder,
                          mdm_options_said(now, name), *theirs ? theirs : "none", *ours ? ours : "none");
    mdm_free(theirs);
    mdm_free(ours);
    return status;
}

int mdm_record_write_bytes(const char *path, const void *bytes, size_t n)
{
    struct mdm_writer *w;
    int status;

    MDM_TRY(mdm_writer_open(&w, path));
    status = mdm_writer_write(w, bytes, n);
    if (status == MASKDM_OK)
        status = mdm_writer_commit(&w);
    mdm_writer_abandon(&w);
    return status;
}

int mdm_record_write_text(const char *folder, const char *name, struct mdm_text *text)
{
    char *path = mdm_path_join(folder, name);
    int status = path ? mdm_text_ok(text) : MASKDM_ENOMEM;

    if (status == MASKDM_OK)
        status = mdm_record_write_bytes(path, text->data, text->length);
    mdm_text_free(text);
    mdm_free(path);
    return status;
}

int mdm_record_write(const char *folder, const maskdm_options *options)
{
    struct mdm_text text = {0}, members = {0};

    mdm_options_write_json(options, &members);
    mdm_text_addf(&text, "{\"" MDM_OPTIONS_FORMAT_KEY "\": %d, \"" MDM_OPTIONS_KIND_KEY "\": \"%s\", ",
                  MDM_OPTIONS_FORMAT, mdm_options_kind(options)->name);
    if (mdm_text_ok(&members) < 0 || members.length < 1)
        text.failed = 1;
    else
        mdm_text_add(&text, members.data + 1);
    mdm_text_add(&text, "\n");
    mdm_text_free(&members);
    return mdm_record_write_text(folder, MDM_RECORD_NAME, &text);
}
