// A plugin of qemu-user that counts the instructions that a program executes, function by function, like callgrind on x86-64:
//   node test/arm64/instructions.mjs <program for ARM> [arguments]
// Debian installs no header of this interface (QEMU 7.2, docs/devel/tcg-plugins.rst), so the few functions are declared here.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*on_translation)(uint64_t id, struct qemu_plugin_tb* block);
typedef void (*on_end)(uint64_t id, void* data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, on_translation callback);
void qemu_plugin_register_atexit_cb(uint64_t id, on_end callback, void* data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* block, size_t index);
const char* qemu_plugin_insn_symbol(const struct qemu_plugin_insn* instruction);
// The operation 0 adds the number inline, without a call.
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn* instruction, int operation,
                                                void* counter, uint64_t number);
void qemu_plugin_outs(const char* text);

struct function {
  const char* name;
  uint64_t count;
};

// Addresses of counters are compiled into blocks, so the table does not move.
enum { kMost = 1 << 16 };
static struct function functions[kMost];
static size_t used;

static uint64_t* counter_of(const char* name) {
  if (name == NULL || *name == '\0') name = "(without a name)";
  for (size_t index = 0; index < used; ++index) {
    if (strcmp(functions[index].name, name) == 0) return &functions[index].count;
  }
  if (used == kMost) abort();
  functions[used].name = strdup(name);
  return &functions[used++].count;
}

static void count_block(uint64_t id, struct qemu_plugin_tb* block) {
  (void)id;
  for (size_t index = 0; index < qemu_plugin_tb_n_insns(block); ++index) {
    struct qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(block, index);
    uint64_t* counter = counter_of(qemu_plugin_insn_symbol(instruction));
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, 0, counter, 1);
  }
}

static int by_count(const void* a, const void* b) {
  const uint64_t left = ((const struct function*)a)->count, right = ((const struct function*)b)->count;
  return left < right ? 1 : left > right ? -1 : 0;
}

static void report(uint64_t id, void* data) {
  (void)id, (void)data;
  qsort(functions, used, sizeof functions[0], by_count);
  FILE* file = fopen(getenv("GHOSTNET_INSTRUCTIONS"), "w");
  if (file == NULL) abort();
  for (size_t index = 0; index < used; ++index) {
    fprintf(file, "%" PRIu64 " %s\n", functions[index].count, functions[index].name);
  }
  fclose(file);
}

EXPORT int qemu_plugin_install(uint64_t id, const void* info, int argc, char** argv) {
  (void)info, (void)argc, (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
  qemu_plugin_register_atexit_cb(id, report, NULL);
  return 0;
}
