/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every public function with one argument wrong: NULL, -1, the largest number, options of another kind. Where NULL
 * has no meaning it is refused with a line that names function and argument; nothing ever crashes. The calls come
 * from the headers (arguments.py), so that a function that is added is tried as well. They run in a child, and a
 * crash is counted like any other fault.
 */
#include "rig.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NETWORK "image_size=8 patch_size=2 channels=3 dim=16 depth=3 heads=2 classes=3 "\
                "sprint=1 path_drop=0.5"

enum answer_kind { VOID, STATUS, NUMBER, REAL, POINTER };
enum expected { SUCCESS, REFUSAL, OUT_OF_RANGE, ANYTHING };

struct trial {
    const char *function, *argument;
    enum answer_kind kind;
    enum expected expected;
    void (*call)(void);
};

static struct {
    int64_t status, number;
    double real;
    const void *pointer;
} answer;

/* What the calls work on. */
static struct {
    maskdm_control *control;
    maskdm_comm *comm;
    maskdm_data *data;
    maskdm_device *device;
    maskdm_extractor *extractor;
    maskdm_features *features;
    maskdm_file *file;
    maskdm_file_writer *file_writer;
    maskdm_image *image, *grey, *images[2];
    maskdm_mask *mask;
    maskdm_model *model, *adapted;
    maskdm_optimizer *optimizer, *unbound, *own;
    maskdm_sampler *sampler;
    maskdm_scheduler *scheduler;
    maskdm_solver *solver;
    maskdm_statistics *statistics;
    maskdm_trainer *trainer;
    maskdm_options *network_options, *device_options, *folder_options, *image_options, *mask_options,
        *optimizer_options,
        *ema_options, *inpaint_options, *sampler_options, *guided_options, *scheduler_options, *trainer_options,
        *metric_options, *lora_options, *job, *staged, *consistency_options, *comm_options;
    char root[64], folder[128], picture[192], tensors[128], model_file[128], state[128], written[128],
        statistics_file[128], features_file[128], extractor_file[128], adapter_file[140], text[8192];
    const char *names[2], *optional[1];
    void *file_bytes, *model_bytes, *picture_bytes;
    const void *pictures[2];
    size_t file_size, model_size, picture_size, picture_sizes[2], size;
    float floats[1 << 14], more[1 << 14], third[1 << 14];
    unsigned char bytes[1 << 14];
    double doubles[1 << 10], times[8], below[8], eights[2], deviations[2], identity[16], number;
    const float *starts[1];
    int64_t numbers[64], shape[8], two_by_two[2], four[4], parameter, values;
    int32_t label, labels[16], index[256], places[8];
    uint64_t seeds[16];
    struct maskdm_cost cost;
} rig;

static int fetch(void *user, int64_t index, float *image, int32_t *label)
{
    (void)user;
    return rig_fetch(NULL, index, image, label);
}

static int fetch_file(void *user, int64_t index, const void **file, size_t *size, int32_t *label)
{
    (void)user;
    *file = rig.pictures[index % 2];
    *size = rig.picture_sizes[index % 2];
    *label = 0;
    return 0;
}

static int progress(void *user, const struct maskdm_progress *p)
{
    (void)user;
    (void)p;
    return 0;
}

/* The model's file, anew behind each end. */
static int64_t read_model(void *user, void *bytes, size_t size)
{
    static size_t at;
    const size_t left = rig.model_size - at, n = size < left ? size : left;

    (void)user;
    memcpy(bytes, (const char *)rig.model_bytes + at, n);
    at = n ? at + n : 0;
    return (int64_t)n;
}

static void hear(void *user, int level, const char *line)
{
    (void)user;
    (void)level;
    (void)line;
}

static void see_transfer(void *user, const char *name, int what, const int64_t *from, int from_rank,
                         const int64_t *to, int to_rank)
{
    (void)user, (void)name, (void)what, (void)from, (void)from_rank, (void)to, (void)to_rank;
}

static int see_step(void *user, const struct maskdm_step *step)
{
    (void)user;
    return !(step->step <= step->steps && step->first >= 0 && step->count > 0 && step->x && step->x0);
}

static int denoise(void *user, int64_t count, const float *x, double time, const int32_t *labels, float *prediction)
{
    (void)user;
    (void)labels;
    return !(count > 0 && x && time >= 0 && prediction);
}

static int64_t visible(void *user, int64_t rows, int64_t columns)
{
    (void)user;
    return rows * columns;
}

static int draw(void *user, uint64_t seed, int64_t rows, int64_t columns, int32_t *index)
{
    (void)user;
    (void)seed;
    for (int64_t i = 0; i < rows * columns; i++)
        index[i] = (int32_t)i;
    return 0;
}

static int fill_rows(void *user, int64_t first, int64_t count, float *rows)
{
    (void)user;
    for (int64_t i = 0; i < 4 * count; i++)
        rows[i] = (float)((4 * first + i) * 7 % 11);
    return 0;
}

static void drop(void *user)
{
    (void)user;
}

static int write_nowhere(void *user, const void *bytes, size_t size)
{
    (void)user;
    return !bytes || !size;
}

/* Never called: memory is out, so that no other allocator can be set. */
static void *take(void *user, size_t bytes)
{
    (void)user;
    return malloc(bytes);
}

static void give(void *user, void *memory)
{
    (void)user;
    free(memory);
}

static void loop(void *user, int64_t n, void (*body)(void *arg, int64_t i, int worker), void *arg)
{
    (void)user;
    for (int64_t i = 0; i < n; i++)
        body(arg, i, 0);
}

#include "arguments.inc"

/* ---- what they work on ---- */

static void *read_whole(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    void *bytes = malloc(1 << 22);

    ck_assert_msg(f && bytes, "%s", path);
    *size = fread(bytes, 1, 1 << 22, f);
    fclose(f);
    return bytes;
}

static void make_files(void)
{
    static const char *const name[] = {"/images", "/tensors", "/model", "/state", "/written", "/statistics",
                                       "/features"};
    char *const path[] = {rig.folder, rig.tensors, rig.model_file, rig.state, rig.written, rig.statistics_file,
                          rig.features_file};
    maskdm_statistics *statistics;
    maskdm_features *features;
    maskdm_file_writer *w;
    int64_t whole[1] = {1}, four[1] = {4};

    for (size_t i = 0; i < 7; i++)
        snprintf(path[i], 128, "%s%s", rig.root, name[i]);
    snprintf(rig.picture, sizeof rig.picture, "%s/0.png", rig.folder);
    MUST(maskdm_image_write_png(rig.image, rig.picture, 8));
    rig.picture_bytes = read_whole(rig.picture, &rig.picture_size);
    for (int i = 0; i < 2; i++) {
        rig.pictures[i] = rig.picture_bytes;
        rig.picture_sizes[i] = rig.picture_size;
    }
    MUST(maskdm_file_writer_create(&w));
    MUST(maskdm_file_writer_add(w, "first", "F32", four, 1, rig.more));
    MUST(maskdm_file_writer_add(w, "second", "I64", whole, 1, rig.numbers));
    MUST(maskdm_file_writer_metadata(w, "key", "value"));
    MUST(maskdm_file_writer_save(w, rig.tensors));
    maskdm_file_writer_release(&w);
    MUST(maskdm_file_open(&rig.file, rig.tensors));
    rig.file_bytes = read_whole(rig.tensors, &rig.file_size);
    MUST(maskdm_model_save(rig.model, rig.model_file));
    rig.model_bytes = read_whole(rig.model_file, &rig.model_size);
    MUST(maskdm_trainer_save(rig.trainer, rig.state));
    MUST(maskdm_statistics_create_from(&statistics, rig.device, 9, 4, rig.times, rig.identity));
    MUST(maskdm_statistics_save(statistics, rig.statistics_file));
    MUST(maskdm_features_create(&features, rig.device, 4));
    MUST(maskdm_features_add(features, 24, rig.more));
    MUST(maskdm_features_save(features, rig.features_file));
    maskdm_features_release(&features);
    maskdm_statistics_release(&statistics);
    snprintf(rig.adapter_file, sizeof rig.adapter_file, "%s.adapter", rig.model_file);
    MUST(maskdm_model_save_adapter(rig.adapted, MASKDM_WEIGHTS_EMA, rig.adapter_file));
}

static void make_options(void)
{
    rig.network_options = rig_options("uvit", NETWORK);
    rig.device_options = rig_options("device", "threads=1");
    rig.comm_options = rig_options("comm", "");
    rig.folder_options = rig_options("folder", "image_size=8");
    rig.image_options = rig_options("image", "");
    rig.optional[0] = "lr";
    rig.names[0] = "cats";
    rig.names[1] = "dogs";
    rig.mask_options = rig_options("mask", "");
    rig.optimizer_options = rig_options("optimizer", "");
    rig.ema_options = rig_options("ema", "");
    rig.inpaint_options = rig_options("inpaint", "");
    rig.sampler_options = rig_options("sampler", "sampler=ddim steps=2");
    rig.guided_options = rig_options("sampler", "sampler=ddim steps=2 guidance=2");
    rig.scheduler_options = rig_options("scheduler", "timesteps=100");
    rig.consistency_options = rig_options("consistency", "");
    rig.metric_options = rig_options("metric", "");
    rig.trainer_options = rig_options("trainer", "batch_size=2");
    rig.lora_options = rig_options("lora", "rank=2");
    rig.staged = rig_options("train", "");
    MUST(maskdm_options_add_stage(rig.staged, "steps=2"));
    rig.job = rig_options("uvit", ""); /* of no job's kind, so that none begins */
}

static void fill_arrays(void)
{
    for (int i = 0; i < 256; i++)
        rig.index[i] = i % 16;
    for (int i = 0; i < 16; i++)
        rig.labels[i] = i % 3;
    for (int i = 0; i < 8; i++)
        rig.times[i] = i;
    for (int i = 0; i < 8; i++) /* of two images of 4 x 4 patches one of each 2 x 2 */
        rig.places[i] = i % 4 * 4;
    for (int i = 0; i < 8; i++)
        rig.below[i] = i - 1;
    rig.eights[0] = rig.eights[1] = 8;
    for (int i = 0; i < 4; i++)
        rig.identity[5 * i] = 1;
    rig.deviations[0] = 0.05;
    rig.deviations[1] = 0.1;
    rig.four[0] = 4;
    rig.starts[0] = rig.more;
    rig.two_by_two[0] = rig.two_by_two[1] = 2;
    rig.values = RIG_VALUES;
    rig.cost.struct_size = sizeof rig.cost;
    rig.numbers[0] = 1;
}

static void make_rig(void)
{
    unsigned char white[8 * 8];

    memset(white, 255, sizeof white);
    fill_arrays();
    make_options();
    MUST(maskdm_device_open(&rig.device, "cpu", rig.device_options));
    MUST(maskdm_scheduler_create(&rig.scheduler, rig.scheduler_options));
    MUST(maskdm_solver_create(&rig.solver, rig.scheduler, rig.sampler_options));
    MUST(maskdm_model_create(&rig.model, rig.device, "uvit", rig.network_options, rig.scheduler, 1));
    MUST(maskdm_model_adapt(&rig.adapted, rig.model, MASKDM_WEIGHTS_EMA, rig.lora_options, 1));
    rig.parameter = 1;
    for (int d = 0, rank = maskdm_model_parameter_shape(rig.model, 0, rig.shape, 8); d < rank; d++)
        rig.parameter *= rig.shape[d];
    MUST(maskdm_mask_create(&rig.mask, rig.mask_options));
    MUST(maskdm_optimizer_create(&rig.optimizer, rig.optimizer_options, rig.ema_options));
    MUST(maskdm_optimizer_create(&rig.unbound, rig.optimizer_options, rig.ema_options));
    MUST(maskdm_optimizer_create(&rig.own, rig.optimizer_options, rig.ema_options));
    MUST(maskdm_optimizer_bind(rig.own, rig.device, 1, rig.names, rig.four, NULL, rig.starts));
    MUST(maskdm_control_create(&rig.control));
    MUST(maskdm_comm_open(&rig.comm, "self", rig.comm_options));
    MUST(maskdm_extractor_create(&rig.extractor, rig.device));
    MUST(maskdm_trainer_create(&rig.trainer, rig.model, rig.mask, rig.optimizer, rig.trainer_options, NULL));
    MUST(maskdm_sampler_create(&rig.sampler, rig.model, MASKDM_WEIGHTS_EMA, rig.sampler_options, NULL));
    rig.data = rig_data(rig.device);
    MUST(maskdm_image_create(&rig.image, 8, 8, 3, MASKDM_SAMPLE_U8, rig.bytes, 0));
    rig.images[0] = rig.images[1] = rig.image;
    MUST(maskdm_image_create(&rig.grey, 8, 8, 1, MASKDM_SAMPLE_U8, white, 0));
    make_files();
}

static void drop_rig(void)
{
    maskdm_options **options[] = {&rig.network_options, &rig.device_options,    &rig.folder_options,
                                  &rig.image_options,   &rig.mask_options,      &rig.optimizer_options,
                                  &rig.ema_options,     &rig.sampler_options,   &rig.scheduler_options,
                                  &rig.trainer_options, &rig.guided_options,    &rig.inpaint_options,
                                  &rig.metric_options,  &rig.lora_options,      &rig.job,
                                  &rig.staged,            &rig.consistency_options, &rig.comm_options};

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        maskdm_options_release(options[i]);
    maskdm_data_release(&rig.data);
    maskdm_trainer_release(&rig.trainer);
    maskdm_sampler_release(&rig.sampler);
    maskdm_optimizer_release(&rig.optimizer);
    maskdm_optimizer_release(&rig.unbound);
    maskdm_optimizer_release(&rig.own);
    maskdm_mask_release(&rig.mask);
    maskdm_model_release(&rig.model);
    maskdm_model_release(&rig.adapted);
    maskdm_solver_release(&rig.solver);
    maskdm_extractor_release(&rig.extractor);
    maskdm_features_release(&rig.features);
    maskdm_statistics_release(&rig.statistics);
    maskdm_scheduler_release(&rig.scheduler);
    maskdm_control_release(&rig.control);
    maskdm_comm_release(&rig.comm);
    maskdm_file_release(&rig.file);
    maskdm_file_writer_release(&rig.file_writer);
    maskdm_image_release(&rig.image);
    maskdm_image_release(&rig.grey);
    maskdm_device_release(&rig.device);
    free(rig.file_bytes);
    free(rig.model_bytes);
    free(rig.picture_bytes);
}

/* Whatever the call before has left, the next one can do its work; and the line is one that no call writes. */
static void get_ready(void)
{
    maskdm_options *none;
    float rows[24 * 4];

    fill_rows(NULL, 0, 24, rows);
    maskdm_features_release(&rig.features);
    MUST(maskdm_features_create(&rig.features, rig.device, 4));
    MUST(maskdm_features_add(rig.features, 24, rows));
    maskdm_statistics_release(&rig.statistics);
    MUST(maskdm_statistics_create(&rig.statistics, rig.device, 4));
    MUST(maskdm_statistics_add(rig.statistics, 24, rows));
    maskdm_control_reset(rig.control);
    maskdm_file_writer_release(&rig.file_writer);
    MUST(maskdm_file_writer_create(&rig.file_writer));
    MUST(maskdm_options_parse(rig.network_options, NETWORK));
    for (int i = 0; i < 1 << 10; i++)
        rig.floats[i] = rig.more[i] = 0.25f;
    MUST(maskdm_trainer_draw(rig.trainer, rig.data, 0));
    MUST(maskdm_trainer_forward(rig.trainer));
    MUST(maskdm_trainer_loss(rig.trainer, &rig.number));
    memset(&answer, 0, sizeof answer);
    ck_assert_int_eq(maskdm_options_create(&none, "nobody's"), MASKDM_ENOTFOUND);
}

/* ---- judging ---- */

static int succeeded(const struct trial *t)
{
    switch (t->kind) {
    case STATUS:
        return answer.status >= 0;
    case NUMBER:
        return answer.number >= 0;
    case REAL:
        return !isnan(answer.real);
    case POINTER:
        return answer.pointer != NULL;
    default:
        return 1;
    }
}

static int refused(const struct trial *t)
{
    char line[160];

    snprintf(line, sizeof line, "%s: %s is NULL", t->function, t->argument);
    if (strcmp(maskdm_last_error(), line) != 0)
        return 0;
    switch (t->kind) {
    case STATUS:
        return answer.status == MASKDM_EINVAL;
    case NUMBER:
        return answer.number == MASKDM_EINVAL;
    case REAL:
        return isnan(answer.real);
    case POINTER:
        return answer.pointer == NULL;
    default:
        return 1;
    }
}

/* Who fails with a line says with maskdm_last_status() what that line is about. Indices are looked up without one. */
static int status_agrees(const struct trial *t)
{
    return t->kind != STATUS || answer.status >= 0 || maskdm_last_status() == (int)answer.status;
}

static int judge(const struct trial *t)
{
    if (!status_agrees(t))
        return 0;
    switch (t->expected) {
    case SUCCESS:
        return succeeded(t);
    case REFUSAL:
        return refused(t);
    case OUT_OF_RANGE:
        return answer.status == MASKDM_EINVAL;
    default:
        return 1;
    }
}

/* ---- running ---- */

/* Shared with the child that makes the calls. */
struct shared {
    size_t at;
    int faults;
};

static void describe(const struct trial *t, const char *what)
{
    fprintf(stderr, "%s(%s): %s\n", t->function, t->argument, what);
}

static void run_child(struct shared *s)
{
    make_rig();
    for (; s->at < sizeof trials / sizeof *trials; s->at++) {
        const struct trial *t = &trials[s->at];

        get_ready();
        t->call();
        if (!judge(t)) {
            char text[700];

            snprintf(text, sizeof text, "answered %lld, %lld, %g, %p: %s", (long long)answer.status,
                     (long long)answer.number, answer.real, answer.pointer, maskdm_last_error());
            describe(t, text);
            s->faults++;
        }
    }
    drop_rig();
}

START_TEST(test_one_argument_wrong)
{
    struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char command[128];
    int state;

    ck_assert(s != MAP_FAILED);
    ck_assert_int_gt(FUNCTIONS, 150);
    strcpy(rig.root, "api_arguments_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(rig.root));
    snprintf(command, sizeof command, "%s/images", rig.root);
    ck_assert_int_eq(mkdir(command, 0777), 0);
    do {
        pid_t child = fork();

        ck_assert_int_ge(child, 0);
        if (!child) {
            run_child(s);
            exit(0);
        }
        ck_assert_int_eq(waitpid(child, &state, 0), child);
        if (state && s->at < sizeof trials / sizeof *trials) {
            describe(&trials[s->at++], "crashed");
            s->faults++;
        } else if (state) {
            fprintf(stderr, "the child ended with %d\n", state);
            s->faults++;
        }
    } while (state && s->at < sizeof trials / sizeof *trials);
    snprintf(command, sizeof command, "rm -rf ./%s", rig.root);
    ck_assert_int_eq(system(command), 0);
    ck_assert_msg(!s->faults, "%d of %zu calls went wrong", s->faults, sizeof trials / sizeof *trials);
}
END_TEST

int main(void)
{
    const TTest *test[] = {test_one_argument_wrong};

    return rig_run("arguments", test, 1);
}
