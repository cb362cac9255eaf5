/* A stand-in for libnvidia-ml.so.1 with one GPU, to try detection through the real bindings. */
#include <string.h>

static int device = 1;

int nvmlInitWithFlags(unsigned flags) { (void)flags; return 0; }
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { (void)code; return "stub error"; }
int nvmlSystemGetDriverVersion(char *text, unsigned length) { strncpy(text, "535.104.05", length); return 0; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 12020; return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 1; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) { (void)index; *handle = &device; return 0; }
int nvmlDeviceGetName(void *handle, char *text, unsigned length) {
    (void)handle;
    strncpy(text, "NVIDIA H100 80GB HBM3", length);
    return 0;
}
int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor) {
    (void)handle;
    *major = 9;
    *minor = 0;
    return 0;
}
int nvmlDeviceGetMemoryInfo(void *handle, unsigned long long *memory) {
    (void)handle;
    memory[0] = 85899345920ULL;
    memory[1] = memory[0];
    memory[2] = 0;
    return 0;
}
