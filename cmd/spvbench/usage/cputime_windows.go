package usage

import "syscall"

// CPUSeconds is the CPU time of this process so far, user and kernel; 0 if the
// system does not say.
func CPUSeconds() float64 {
	process, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0
	}
	var created, exited, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &exited, &kernel, &user); err != nil {
		return 0
	}
	return seconds(kernel) + seconds(user)
}

// seconds is a Filetime that holds a duration, in units of 100 ns. Its method
// Nanoseconds takes it for a date.
func seconds(t syscall.Filetime) float64 {
	return float64(uint64(t.HighDateTime)<<32|uint64(t.LowDateTime)) / 1e7
}
