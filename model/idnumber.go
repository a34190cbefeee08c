package model

import "time"

// IDNumber is what a resident ID number (GB 11643-1999) says of its holder.
type IDNumber struct {
	BirthDate string // yyyy-MM-dd
	Gender    string // male, female
}

// ParseIDNumber checks a resident ID number of 18 characters: digits, a date that
// exists, the check character. It does not check the region: those change and the
// demo uses one that no person has.
func ParseIDNumber(id string) (IDNumber, bool) {
	if len(id) != 18 || IDCheck(id[:17]) != id[17] {
		return IDNumber{}, false
	}
	d, err := time.Parse("20060102", id[6:14])
	if err != nil || d.Year() < 1900 || id[0] == '0' {
		return IDNumber{}, false
	}
	n := IDNumber{BirthDate: d.Format(time.DateOnly), Gender: "female"}
	if (id[16]-'0')%2 == 1 {
		n.Gender = "male"
	}
	return n, true
}

// IDCheck is the check character of the first 17 digits; 0 when they are not digits.
func IDCheck(digits string) byte {
	if len(digits) != 17 {
		return 0
	}
	sum := 0
	for i, w := range [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		if digits[i] < '0' || digits[i] > '9' {
			return 0
		}
		sum += int(digits[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}
