/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options bound to structs, and a selector that picks one of several tables: made-up ones, and what must hold for
 * those of the library.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "option/option.h"
#include "text/text.h"

#include "backend/options.h"
#include "comm/options.h"
#include "data/options.h"
#include "diffusion/consistency.h"
#include "diffusion/options.h"
#include "mask/options.h"
#include "metric/options.h"
#include "model/adapter.h"
#include "model/network.h"
#include "model/options.h"
#include "run/options.h"
#include "sample/options.h"
#include "train/options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- made-up tables ---- */

enum tone { TONE_LOW, TONE_HIGH };

struct horn {
    int64_t size;
    double width;
    enum tone tone;
    struct mdm_int_list keys;
};
static const struct mdm_option horn_rows[] = {
    {MDM_OPTION(horn, size), .standard = "8", .min = 1, .max = 99, .help = "how large"},
    {MDM_OPTION(horn, width), .standard = "0.5", .help = "how wide"},
    {MDM_CHOICE(horn, tone), .standard = "low", .choices = "low|high", .help = "how it sounds"},
    {MDM_OPTION(horn, keys), .standard = "1,2", .most = 4, .help = "which keys"},
};
static const struct mdm_option_table horn = {"horn", "", "a horn", horn_rows, MDM_LENGTH(horn_rows),
                                             sizeof(struct horn)};

struct drum {
    const char *skin;
    int64_t size;
    int loud;
    struct mdm_int_list keys;
};
static const struct mdm_option drum_rows[] = {
    {MDM_OPTION(drum, skin), .required = 1, .help = "what it is covered with"},
    {MDM_OPTION(drum, size), .standard = "16", .min = 1, .max = 99, .help = "how large across"},
    {MDM_OPTION(drum, loud), .standard = "true", .help = "whether it is loud"},
    {MDM_OPTION(drum, keys), .standard = "7", .most = 4, .help = "which keys"},
};
static const struct mdm_option_table drum = {"drum", "", "a drum", drum_rows, MDM_LENGTH(drum_rows),
                                             sizeof(struct drum)};

enum metal { METAL_IRON, METAL_BRASS };

struct bell {
    enum metal metal;
    int64_t size;
    struct mdm_float_list notes;
};
static const struct mdm_option bell_rows[] = {
    {MDM_CHOICE(bell, metal), .standard = "iron", .choices = "iron|brass", .help = "what it is made of"},
    {MDM_OPTION(bell, size), .standard = "8", .min = 1, .max = 99, .help = "how large"},
    {MDM_OPTION(bell, notes), .standard = "0.25,0.5", .when = "brass", .help = "what it sounds"},
};
static const struct mdm_option_table bell = {"bell", "", "a bell", bell_rows, MDM_LENGTH(bell_rows),
                                             sizeof(struct bell)};

static const struct mdm_option_table *instrument(int i)
{
    static const struct mdm_option_table *const tables[] = {&horn, &drum, &bell};

    return i < (int)MDM_LENGTH(tables) ? tables[i] : NULL;
}

static const char *season(int i)
{
    static const char *const names[] = {"spring", "autumn"};

    return i < (int)MDM_LENGTH(names) ? names[i] : NULL;
}

struct player {
    int instrument;
};
static const struct mdm_option player_rows[] = {
    {MDM_CHOICE(player, instrument), .standard = "horn", .among = instrument, .help = "what is played"},
};
static const struct mdm_option_table player = {"player", "", "a player", player_rows, MDM_LENGTH(player_rows),
                                               sizeof(struct player)};

struct hall {
    int season;
    int64_t seats;
};
static const struct mdm_option hall_rows[] = {
    {MDM_CHOICE(hall, season), .standard = "spring", .named = season, .help = "when"},
    {MDM_OPTION(hall, seats), .standard = "100", .when = "autumn", .help = "how many"},
};
static const struct mdm_option_table hall = {"hall", "hall_", "a hall", hall_rows, MDM_LENGTH(hall_rows),
                                             sizeof(struct hall)};

static const struct mdm_option_table *const concert_tables[] = {&player, &hall};
static const struct mdm_option_kind concert = {"concert", "all of it", concert_tables, MDM_LENGTH(concert_tables),
                                               NULL};
struct stage {
    const char *curtain;
    int64_t lamps, oil;
};
static const struct mdm_option stage_rows[] = {
    {MDM_OPTION(stage, curtain), .needs = "hall_seats|instrument=drum", .help = "what hangs there"},
    {MDM_OPTION(stage, lamps), .standard = "2", .needs = "curtain", .help = "how many"},
    {MDM_OPTION(stage, oil), .standard = "0", .needs = "gas", .help = "how much"},
};
static const struct mdm_option_table stage = {
    "stage", "stage_", "a stage", stage_rows, MDM_LENGTH(stage_rows), sizeof(struct stage)};

static const struct mdm_option_table *const opera_tables[] = {&player, &hall, &stage};
static const struct mdm_option_kind opera = {"opera", "more than that", opera_tables, MDM_LENGTH(opera_tables), NULL};
static const struct mdm_option_default gala_standard[] = {
    {"instrument", "drum", NULL}, {"size", "7", "hall_seats=3|skin"}, {"hall_season", "autumn", NULL},
    {NULL, NULL, NULL}};
static const struct mdm_option_kind gala = {"gala", "the best of it", concert_tables, MDM_LENGTH(concert_tables),
                                            gala_standard};
static const struct mdm_option_table *const drum_tables[] = {&drum};
static const struct mdm_option_kind drum_kind = {"drum", "a drum", drum_tables, 1, NULL};

static maskdm_options *make(const struct mdm_option_kind *kind, const char *text)
{
    maskdm_options *o;

    ck_assert_int_eq(mdm_options_create(&o, kind), MASKDM_OK);
    ck_assert_int_eq(mdm_options_parse(o, text), MASKDM_OK);
    return o;
}

static const char *json(const maskdm_options *o)
{
    static char out[512];
    struct mdm_text t = {0};

    mdm_options_write_json(o, &t);
    ck_assert_int_eq(mdm_text_ok(&t), MASKDM_OK);
    ck_assert_uint_lt(t.length, sizeof out);
    memcpy(out, t.data, t.length + 1);
    mdm_text_free(&t);
    return out;
}

static const char *fact(const char *name, const char *what)
{
    static char out[4][128];
    static int turn;

    turn = (turn + 1) % 4;
    for (int64_t i = 0;; i++) {
        struct mdm_text is = {0}, t = {0};
        int found;

        ck_assert_int_eq(mdm_options_describe(&concert, i, "name", &is), MASKDM_OK);
        ck_assert_int_eq(mdm_options_describe(&concert, i, what, &t), MASKDM_OK);
        found = !strcmp(is.data, name);
        mdm_format(out[turn], sizeof out[turn], "%s", t.data);
        mdm_text_free(&is);
        mdm_text_free(&t);
        if (found)
            return out[turn];
    }
}

static int refuse_at(void *user, size_t bytes)
{
    (void)bytes;
    return (*(int *)user)-- == 0;
}

START_TEST(every_type_fills_its_member)
{
    maskdm_options *o = make(&concert, "instrument=drum skin=\"a b\" size=12 keys=3,4,5 loud=no");
    struct player p;
    struct drum d;
    struct horn h;
    struct bell b;
    struct hall where;

    mdm_options_read(o, &player, &p);
    ck_assert_int_eq(p.instrument, 1);
    ck_assert_ptr_eq(instrument(p.instrument), &drum);
    memset(&d, 0x5a, sizeof d);
    mdm_options_read(o, &drum, &d);
    ck_assert(!strcmp(d.skin, "a b") && d.size == 12 && !d.loud && d.keys.count == 3);
    ck_assert(d.keys.value[0] == 3 && d.keys.value[2] == 5);
    ck_assert_int_eq(mdm_options_parse(o, "instrument=horn width=0.1 tone=high"), MASKDM_OK);
    mdm_options_read(o, &horn, &h);
    ck_assert(h.size == 12 && h.width == 0.1 && h.tone == TONE_HIGH && h.keys.count == 3);
    ck_assert_int_eq(mdm_options_parse(o, "instrument=bell metal=brass notes=0.1,2"), MASKDM_OK);
    mdm_options_read(o, &bell, &b);
    ck_assert(b.metal == METAL_BRASS && b.size == 12);
    ck_assert(b.notes.count == 2 && b.notes.value[0] == 0.1 && b.notes.value[1] == 2);
    mdm_options_read(o, &hall, &where);
    ck_assert(where.season == 0 && where.seats == 100);
    ck_assert_int_eq(mdm_options_parse(o, "hall_season=autumn"), MASKDM_OK);
    mdm_options_read(o, &hall, &where);
    ck_assert_int_eq(where.season, 1);
    mdm_options_release(&o);
    o = make(&drum_kind, "");
    mdm_options_read(o, &drum, &d);
    ck_assert(!strcmp(d.skin, "") && d.size == 16 && d.loud && d.keys.count == 1 && d.keys.value[0] == 7);
    mdm_options_release(&o);
}
END_TEST

/* One option for the outside, whichever table it is of; the picked table says what is its default. */
START_TEST(tables_are_picked_in_any_order)
{
    maskdm_options *o = make(&concert, ""), *late = make(&concert, "size=3 instrument=drum skin=oak"),
                   *early = make(&concert, "instrument=drum skin=oak size=3");

    ck_assert_str_eq(json(o), "{\"instrument\": \"horn\", \"size\": 8, \"keys\": [1,2], \"width\": 0.5, "
                              "\"tone\": \"low\", \"hall_season\": \"spring\"}");
    mdm_options_release(&o);
    ck_assert_int_eq(mdm_options_check(late), MASKDM_OK);
    ck_assert_str_eq(json(late), "{\"instrument\": \"drum\", \"size\": 3, \"keys\": [7], \"skin\": \"oak\", "
                                 "\"loud\": true, \"hall_season\": \"spring\"}");
    o = make(&concert, "");
    ck_assert_int_eq(mdm_options_parse_json(o, json(late), strlen(json(late))), MASKDM_OK);
    ck_assert_str_eq(json(o), json(early));
    mdm_options_release(&o);
    o = make(&concert, "instrument=drum skin=oak");
    ck_assert_int_eq(mdm_options_parse_json(o, "{\"instrument\": null}", 20), MASKDM_OK);
    ck_assert_ptr_nonnull(strstr(json(o), "\"keys\": [1,2]"));
    mdm_options_release(&o);
    mdm_options_release(&late);
    mdm_options_release(&early);
}
END_TEST

/* Text, and the line that it is refused with. */
static const char *const refused[][2] = {
    {"loud=no", "option loud belongs to instrument=drum, but instrument is horn"},
    {"instrument=drum skin=oak tone=high", "option tone belongs to instrument=horn, but instrument is drum"},
    {"instrument=bell keys=1", "option keys belongs to instrument=horn|drum, but instrument is bell"},
    {"instrument=bell notes=1", "option notes belongs to metal=brass, but metal is iron"},
    {"instrument=drum", "option skin must be given"},
    {"hall_seats=3", "option hall_seats belongs to hall_season=autumn, but hall_season is spring"},
};

START_TEST(options_of_other_tables_are_refused)
{
    maskdm_options *o = make(&concert, "");

    for (size_t i = 0; i < MDM_LENGTH(refused); i++) {
        maskdm_options *wrong = make(&concert, refused[i][0]);

        ck_assert_int_eq(mdm_options_check(wrong), MASKDM_EINVAL);
        ck_assert_str_eq(mdm_error_text(), refused[i][1]);
        mdm_options_release(&wrong);
    }
    ck_assert_int_eq(mdm_options_set(o, "instrument", "lute"), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "option instrument is one of horn|drum|bell, not \"lute\"");
    ck_assert_int_eq(mdm_options_set(o, "hall_season", "winter"), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "option hall_season is one of spring|autumn, not \"winter\"");
    ck_assert_int_eq(mdm_options_set(o, "size", "100"), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_options_check(o), MASKDM_OK);
    mdm_options_release(&o);
}
END_TEST

START_TEST(facts_name_what_differs)
{
    static const char *const order[] = {"instrument", "size", "keys", "width", "tone", "skin",
                                        "loud", "metal", "notes", "hall_season", "hall_seats"};
    struct mdm_option_place place;
    struct mdm_text none = {0};

    for (size_t i = 0; i < MDM_LENGTH(order); i++) {
        struct mdm_text t = {0};

        ck_assert_int_eq(mdm_options_describe(&concert, (int64_t)i, "name", &t), MASKDM_OK);
        ck_assert_str_eq(t.data, order[i]);
        mdm_text_free(&t);
    }
    ck_assert(!mdm_option_at(&place, &concert, MDM_LENGTH(order)) && !mdm_option_at(&place, &concert, -1));
    ck_assert_int_eq(mdm_options_describe(&concert, MDM_LENGTH(order), "name", &none), MASKDM_ENOTFOUND);
    ck_assert_str_eq(fact("instrument", "choices"), "horn|drum|bell");
    ck_assert_str_eq(fact("hall_season", "choices"), "spring|autumn");
    ck_assert_str_eq(fact("size", "default"), "8 (horn), 16 (drum), 8 (bell)");
    ck_assert_str_eq(fact("size", "help"), "how large (horn), how large across (drum), how large (bell)");
    ck_assert_str_eq(fact("keys", "help"), "which keys");
    ck_assert_str_eq(fact("keys", "default"), "1,2 (horn), 7 (drum)");
    ck_assert_str_eq(fact("size", "when"), "");
    ck_assert_str_eq(fact("keys", "when"), "instrument=horn|drum");
    ck_assert_str_eq(fact("loud", "when"), "instrument=drum");
    ck_assert_str_eq(fact("size", "table"), "player");
    ck_assert_str_eq(fact("loud", "table"), "drum");
    ck_assert_str_eq(fact("notes", "when"), "instrument=bell, metal=brass");
    ck_assert_str_eq(fact("size", "table_help"), "a player");
    ck_assert_str_eq(fact("metal", "table_help"), "a bell");
}
END_TEST

START_TEST(the_picked_table_is_taken_out)
{
    maskdm_options *o = make(&concert, "size=5 instrument=drum skin=oak"), *part, *copy;
    struct drum d;

    ck_assert_int_eq(mdm_options_extract(&part, o, &drum_kind), MASKDM_OK);
    mdm_options_read(part, &drum, &d);
    ck_assert(d.size == 5 && !strcmp(d.skin, "oak") && d.loud && d.keys.value[0] == 7);
    mdm_options_release(&part);
    ck_assert_int_eq(mdm_options_extract(&copy, o, &concert), MASKDM_OK);
    ck_assert_int_eq(mdm_options_extract(&part, copy, &drum_kind), MASKDM_OK);
    mdm_options_release(&copy);
    mdm_options_release(&part);
    mdm_options_release(&o);
    o = make(&concert, "size=5");
    ck_assert_int_eq(mdm_options_extract(&part, o, &drum_kind), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "options of kind drum are needed, not of kind concert with instrument=horn");
    ck_assert_ptr_null(part);
    mdm_options_release(&o);
}
END_TEST

/* A selector that cannot be followed stays where it was. What is read stays where it is, unless it is set itself. */
START_TEST(following_is_all_or_nothing)
{
    static const char horn_text[] = "{\"instrument\": \"horn\", \"size\": 8, \"keys\": [1,2], \"width\": 0.25, "
                                    "\"tone\": \"low\", \"hall_season\": \"spring\"}";
    maskdm_options *o = make(&concert, "width=0.25");
    long live = mdm_alloc_live();
    struct horn before, after;
    int status = MASKDM_ENOMEM, tries = 0;

    for (; status != MASKDM_OK; tries++) {
        int left = tries;
        struct mdm_alloc_hook hook = {refuse_at, &left};

        ck_assert_str_eq(json(o), horn_text);
        mdm_alloc_hook_set(&hook);
        status = mdm_options_set(o, "instrument", "drum");
        mdm_alloc_hook_set(NULL);
        ck_assert(status == MASKDM_OK || (status == MASKDM_ENOMEM && mdm_alloc_live() == live));
    }
    ck_assert_int_gt(tries, 5);
    ck_assert_ptr_nonnull(strstr(json(o), "\"size\": 16, \"keys\": [7]"));
    ck_assert_int_eq(mdm_options_parse(o, "instrument=horn"), MASKDM_OK);
    mdm_options_read(o, &horn, &before);
    ck_assert_int_eq(mdm_options_parse(o, "instrument=horn size=3"), MASKDM_OK);
    mdm_options_read(o, &horn, &after);
    ck_assert_ptr_eq(before.keys.value, after.keys.value);
    mdm_options_release(&o);
}
END_TEST

static void expect_needs(const char *text, const char *line)
{
    maskdm_options *o = make(&opera, text);

    ck_assert_int_eq(mdm_options_check(o), MASKDM_OK);
    ck_assert_int_eq(mdm_options_check_needs(o, NULL), line ? MASKDM_EINVAL : MASKDM_OK);
    if (line)
        ck_assert_str_eq(mdm_error_text(), line);
    ck_assert_int_eq(mdm_options_check_needs(o, &player), MASKDM_OK);
    mdm_options_release(&o);
}

/* What was given and does nothing is refused; what says the default says nothing, as a record of options does. */
START_TEST(what_does_nothing_is_refused)
{
    maskdm_options *o, *part;

    expect_needs("stage_lamps=3", "stage_lamps goes with stage_curtain, which is not given");
    expect_needs("stage_lamps=02", NULL);
    expect_needs("stage_curtain=red", "stage_curtain goes with hall_seats or instrument drum, which is horn");
    expect_needs("hall_season=autumn hall_seats=99 stage_curtain=red stage_lamps=3", NULL);
    expect_needs("hall_season=autumn hall_seats=100 stage_curtain=red", "stage_curtain goes with hall_seats or "
                                                                        "instrument drum, which is horn");
    expect_needs("instrument=drum skin=x stage_curtain=red", NULL);
    expect_needs("stage_oil=3", NULL); /* there is no such option */

    o = make(&opera, "");
    part = make(&opera, "stage_lamps=3 stage_oil=4");
    ck_assert_int_eq(mdm_options_complete(o, part), MASKDM_OK);
    ck_assert_str_eq(mdm_options_text(o, "stage_lamps"), "2"); /* of whoever says so it would do nothing here */
    ck_assert_str_eq(mdm_options_text(o, "stage_oil"), "4");
    mdm_options_release(&part);
    part = make(&opera, "hall_season=autumn hall_seats=9 stage_curtain=red stage_lamps=3");
    ck_assert_int_eq(mdm_options_complete(o, part), MASKDM_OK);
    ck_assert_str_eq(mdm_options_text(o, "stage_lamps"), "3");
    mdm_options_release(&part);
    mdm_options_release(&o);
}
END_TEST

START_TEST(a_kind_has_defaults_of_its_own)
{
    maskdm_options *o = make(&gala, ""), *part;
    struct mdm_text t = {0};

    ck_assert_str_eq(mdm_options_text(o, "instrument"), "drum");
    ck_assert_str_eq(mdm_options_text(o, "size"), "7");
    ck_assert_str_eq(mdm_options_text(o, "hall_season"), "autumn");
    ck_assert_str_eq(mdm_options_text(o, "hall_seats"), "100");
    ck_assert_int_eq(mdm_options_set(o, "instrument", "horn"), MASKDM_OK);
    ck_assert_str_eq(mdm_options_text(o, "size"), "7"); /* whatever is played */
    ck_assert_int_eq(mdm_options_set(o, "hall_season", "spring"), MASKDM_OK);
    ck_assert_int_eq(mdm_options_check(o), MASKDM_OK);
    ck_assert_int_eq(mdm_options_parse_json(o, "{\"size\": null}", 14), MASKDM_OK);
    ck_assert_str_eq(mdm_options_text(o, "size"), "7");
    mdm_options_release(&o);
    o = make(&gala, "hall_season=autumn hall_seats=4");
    ck_assert_str_eq(mdm_options_text(o, "size"), "7");
    ck_assert_int_eq(mdm_options_set(o, "hall_seats", "3"), MASKDM_OK);
    ck_assert_str_eq(mdm_options_text(o, "size"), "16");
    mdm_options_release(&o);
    o = make(&gala, "skin=oak");
    ck_assert_str_eq(mdm_options_text(o, "size"), "16"); /* the drum's, since something was said that has another */
    ck_assert_int_eq(mdm_options_set(o, "size", "7"), MASKDM_OK);
    ck_assert_int_eq(mdm_options_extract(&part, o, &drum_kind), MASKDM_OK); /* what they are there, they stay */
    ck_assert_str_eq(mdm_options_text(part, "size"), "7");
    mdm_options_release(&part);
    mdm_options_release(&o);
    for (int64_t i = 0; mdm_options_describe(&gala, i, "name", &t) == MASKDM_OK; i++, t.length = 0)
        if (!strcmp(t.data, "size")) {
            t.length = 0;
            ck_assert_int_eq(mdm_options_describe(&gala, i, "default", &t), MASKDM_OK);
            ck_assert_str_eq(t.data, "7 (8 (horn), 16 (drum), 8 (bell) where hall_seats=3|skin is given)");
        }
    mdm_text_free(&t);
}
END_TEST

/* ---- the library's tables ---- */

static const struct mdm_option_kind *const kinds[] = {
    &mdm_network_kind,  &mdm_mask_kind,    &mdm_scheduler_kind, &mdm_optimizer_kind, &mdm_ema_kind,
    &mdm_folder_kind,   &mdm_device_kind,  &mdm_trainer_kind,   &mdm_sampler_kind,   &mdm_pretrain_kind,
    &mdm_finetune_kind, &mdm_sample_kind,  &mdm_convert_kind,   &mdm_export_kind,    &mdm_average_kind,
    &mdm_image_kind,    &mdm_inpaint_kind, &mdm_metric_kind,    &mdm_lora_kind,      &mdm_merge_kind,
    &mdm_evaluate_kind, &mdm_train_kind,   &mdm_consistency_kind, &mdm_tune_kind,
    &mdm_plot_kind,     &mdm_pack_kind,    &mdm_survey_kind,    &mdm_comm_kind,
};

static const size_t sizes[] = {
    [MASKDM_OPTION_BOOL] = sizeof(int),
    [MASKDM_OPTION_INT] = sizeof(int64_t),
    [MASKDM_OPTION_FLOAT] = sizeof(double),
    [MASKDM_OPTION_STRING] = sizeof(const char *),
    [MASKDM_OPTION_CHOICE] = sizeof(int),
    [MASKDM_OPTION_INT_LIST] = sizeof(struct mdm_int_list),
    [MASKDM_OPTION_FLOAT_LIST] = sizeof(struct mdm_float_list),
};

/* Each row has a member of its own, and one that is a choice has a place among them. */
static void check_table(const struct mdm_option_table *table)
{
    for (int i = 0; i < table->count; i++) {
        const struct mdm_option *o = &table->option[i];
        const int sources = (o->choices != NULL) + (o->named != NULL) + (o->among != NULL);

        ck_assert_msg(o->at + sizes[o->type] <= table->size, "%s %s", table->name, o->name);
        ck_assert_msg(sources == (o->type == MASKDM_OPTION_CHOICE), "%s %s", table->name, o->name);
        ck_assert_msg(!sources || o->standard, "%s %s has no default", table->name, o->name);
        ck_assert_msg(!o->among || !i, "%s %s is no first option", table->name, o->name);
        for (int k = 0; k < i; k++) {
            const struct mdm_option *p = &table->option[k];

            ck_assert_msg(o->at >= p->at + sizes[p->type] || p->at >= o->at + sizes[o->type], "%s %s and %s",
                          table->name, o->name, p->name);
        }
    }
}

static int alike(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* Rows of one name among which a selector picks are one option: they differ in default and help alone. */
static void check_shared(const struct mdm_option *a, const struct mdm_option *b)
{
    ck_assert_msg(a->type == b->type && a->min == b->min && a->max == b->max && a->most == b->most &&
                      a->required == b->required && a->may_change == b->may_change && a->is_path == b->is_path &&
                      a->by_content == b->by_content && a->training_only == b->training_only &&
                      a->when_known == b->when_known && a->named == b->named && alike(a->choices, b->choices) &&
                      alike(a->unit, b->unit) && alike(a->when, b->when) && alike(a->needs, b->needs) &&
                      alike(a->alias, b->alias),
                  "%s", a->name);
}

static void check_among(const struct mdm_option_table *(*among)(int i))
{
    for (int a = 0; among && among(a); a++) {
        check_table(among(a));
        for (int b = 0; b < a; b++)
            for (int i = 0; i < among(a)->count; i++)
                for (int k = 0; k < among(b)->count; k++)
                    if (!strcmp(among(a)->option[i].name, among(b)->option[k].name))
                        check_shared(&among(a)->option[i], &among(b)->option[k]);
    }
}

START_TEST(rows_are_bound_to_members)
{
    int64_t networks = 0;

    while (mdm_network_at((int)networks)) {
        ck_assert_str_eq(mdm_network_at((int)networks)->kind->name, maskdm_options_kind(networks));
        check_table(mdm_network_at((int)networks++)->kind->table[0]);
    }
    for (size_t k = 0; k < MDM_LENGTH(kinds); k++) {
        ck_assert_ptr_nonnull(maskdm_options_kind(networks + (int64_t)k));
        ck_assert_str_eq(kinds[k]->name, maskdm_options_kind(networks + (int64_t)k));
        for (int t = 0; t < kinds[k]->count; t++) {
            check_table(kinds[k]->table[t]);
            check_among(kinds[k]->table[t]->option->among);
        }
    }
    ck_assert_ptr_null(maskdm_options_kind(networks + (int64_t)MDM_LENGTH(kinds)));
    check_among(instrument);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("option_select");
    TCase *t = tcase_create("option_select");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, every_type_fills_its_member);
    tcase_add_test(t, tables_are_picked_in_any_order);
    tcase_add_test(t, options_of_other_tables_are_refused);
    tcase_add_test(t, facts_name_what_differs);
    tcase_add_test(t, the_picked_table_is_taken_out);
    tcase_add_test(t, following_is_all_or_nothing);
    tcase_add_test(t, what_does_nothing_is_refused);
    tcase_add_test(t, a_kind_has_defaults_of_its_own);
    tcase_add_test(t, rows_are_bound_to_members);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
