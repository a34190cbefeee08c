package conf

import (
	"errors"
	"fmt"
)

// SMS holds the credentials of Aliyun SMS. Left empty, the sandbox's inbox
// receives the messages.
type SMS struct {
	AccessKeyID     string `koanf:"access_key_id"`     // ALIYUN_ACCESS_KEY_ID
	AccessKeySecret string `koanf:"access_key_secret"` // ALIYUN_ACCESS_KEY_SECRET
	SignName        string `koanf:"sms_sign_name"`     // ALIYUN_SMS_SIGN_NAME, the approved signature, without 【】
	Endpoint        string `koanf:"sms_endpoint"`      // ALIYUN_SMS_ENDPOINT, https://dysmsapi.aliyuncs.com by default

	// Templates maps the kind of a message to "<template code>", or with a field
	// map "<template code>?<field>=<variable>": ALIYUN_SMS_TEMPLATES.
	Templates Templates `koanf:"sms_templates"`
}

// Present tells whether any real credential was given; the sandbox refuses to
// start beside one.
func (c SMS) Present() bool { return c.AccessKeyID != "" || c.AccessKeySecret != "" }

// Validate refuses half-given credentials.
func (c SMS) Validate() error {
	var errs []error
	for _, f := range [][2]string{
		{"ALIYUN_ACCESS_KEY_ID", c.AccessKeyID}, {"ALIYUN_ACCESS_KEY_SECRET", c.AccessKeySecret},
		{"ALIYUN_SMS_SIGN_NAME", c.SignName},
	} {
		if f[1] == "" {
			errs = append(errs, fmt.Errorf("missing %s", f[0]))
		}
	}
	if c.Endpoint != "" && !secureURL(c.Endpoint) {
		errs = append(errs, errors.New("ALIYUN_SMS_ENDPOINT must be an https address"))
	}
	return errors.Join(errs...)
}
