"""The product page's actions as it writes them, to be sent to a server of our own."""

from __future__ import annotations

import re
from typing import Final

SLACK: Final = """\
{
method : 'POST' ,
url : 'https://hooks.slack.com/services/YOUR/WEBHOOK/URL' ,
body : {
text : 'New user registered: {{user.name}}' ,
channel : '#notifications'
}
}
"""
DISCORD: Final = """\
{
url : 'https://discord.com/api/webhooks/YOUR/WEBHOOK' ,
content : 'New order received: ${{order.total}}' ,
embeds : [{
title: 'Order Details' ,
description: 'Order #{{order.id}}' ,
color: 0x00ff00
}]
}
"""
SENDGRID: Final = """\
{
method : 'POST' ,
url : 'https://api.sendgrid.com/v3/mail/send' ,
headers : {
'Authorization' : 'Bearer YOUR_API_KEY' ,
'Content-Type' : 'application/json'
},
body : {
personalizations : [{
to: [{ email: '{{user.email}}' }]
}],
from : { email : 'noreply@yourdomain.com' },
subject : 'Welcome to our platform!' ,
content : [{
type: 'text/html' ,
value: 'Welcome {{user.name}}!'
}]
}
}
"""
GOOGLE: Final = """\
{
method : 'POST' ,
url : 'https://www.google-analytics.com/collect' ,
body : {
v : 1 ,
tid : 'GA_TRACKING_ID' ,
cid : '{{user.id}}' ,
t : 'event' ,
ec : 'User' ,
ea : 'Registration' ,
el : '{{user.email}}'
}
}
"""
MIXPANEL: Final = """\
{
method : 'POST' ,
url : 'https://api.mixpanel.com/track' ,
body : {
event : 'User Registered' ,
properties : {
distinct_id : '{{user.id}}' ,
email : '{{user.email}}' ,
time : '{{timestamp}}'
}
}
}
"""
S3: Final = """\
{
method : 'PUT' ,
url : 'https://your-bucket.s3.amazonaws.com/{{file.name}}' ,
headers : {
'Authorization' : 'AWS4-HMAC-SHA256 Credential=...' ,
'Content-Type' : '{{file.type}}'
},
body : '{{file.data}}'
}
"""
CLOUDINARY: Final = """\
{
method : 'POST' ,
url : 'https://api.cloudinary.com/v1_1/YOUR_CLOUD_NAME/image/upload' ,
body : {
file : '{{file.data}}' ,
public_id : '{{file.name}}' ,
folder : 'users/{{user.id}}'
}
}
"""
PAGE: Final = {
    "slack": SLACK,
    "discord": DISCORD,
    "sendgrid": SENDGRID,
    "google": GOOGLE,
    "mixpanel": MIXPANEL,
    "s3": S3,
    "cloudinary": CLOUDINARY,
}


def aimed(snippet: str, url: str) -> str:
    """Return a snippet that sends to `url` in the place of the vendor's host."""
    return re.sub(r"https://[a-z0-9.-]+", url, snippet, count=1)
